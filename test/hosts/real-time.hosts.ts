import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHost } from './clients.ts';
import { followTold, pay, paymentOf, type Stage, startStage } from './stage.ts';

/** Holds as long as they are outside tests, and people who take their time: no client's own patience ends a call. */

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(45_000);
});
afterAll(() => stage.close());

describe.concurrent('a decision after 90 s, with holds of 45 s', () => {
  it.each([
    { host: 'MCP SDK v2', generation: '2026-07-28', rung: 'rounds', most: 1 },
    { host: 'MCP SDK v1', generation: '2025-11-25', rung: 'hold', most: 3 },
  ] as const)(
    'reaches $host, $generation, by $rung',
    async ({ host, generation, rung, most }) => {
      const { entry, session } = await stage.enter('machine token');
      const client = await openHost(host, entry, { generation, rung });
      const answered = followTold(client, pay, paymentOf(600));
      const approval = await stage.waiting(session);
      await sleep(90_000);
      await stage.approve(approval);
      const { told, calls } = await answered;
      expect(told.isError, told.text).toBe(false);
      expect(calls).toBeLessThanOrEqual(most);
      await client.close();
    },
    150_000,
  );
});
