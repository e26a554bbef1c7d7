import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hosts, type Rung } from './cells.ts';
import { openHost } from './clients.ts';
import { followTold, pay, paymentOf, type Stage, startStage } from './stage.ts';

/** Each way in which a call waits, with each unmodified client that has it: decided at once, and after two holds. */

const holdMs = 2_000;
let stage: Stage;
beforeAll(async () => {
  stage = await startStage(holdMs);
});
afterAll(() => stage.close());

const rows = hosts.flatMap(({ name: host, speaks }) =>
  Object.entries(speaks).flatMap(([generation, rungs]) => rungs.map((rung: Rung) => ({ host, generation: generation as '2026-07-28' | '2025-11-25', rung }))),
);

describe.concurrent.each(rows)('$rung: $host, $generation', ({ host, generation, rung }) => {
  it.each([
    ['decided at once', 0],
    ['decided after two holds', 2.25 * holdMs],
  ])('%s', async (_when, after) => {
    const { entry, session } = await stage.enter('machine token');
    const client = await openHost(host, entry, { generation, rung });
    await client.list();
    const answered = followTold(client, pay, paymentOf(600));
    const approval = await stage.waiting(session);
    await sleep(after);
    await stage.approve(approval);
    const { told, calls } = await answered;
    expect(told.isError, told.text).toBe(false);
    // Neither a task nor rounds ever reach the model.
    if (rung === 'task' || rung === 'rounds') expect(calls).toBe(1);
    const person = await stage.broker.person('acme', 'bob');
    const { body } = await stage.broker.v1(person, 'GET', `/approvals/${approval.id}`);
    expect(body).toMatchObject({ status: 'used', outcome: 'completed', rung: rung === 'hold' && after > 0 ? expect.stringMatching(/hold|handle/) : rung });
    await client.close();
  });
});
