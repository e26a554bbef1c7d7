import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cells } from './cells.ts';
import { openHost } from './clients.ts';
import { followTold, pay, paymentOf, type Stage, startStage } from './stage.ts';

/** Each host by each way in and in each generation: it sees its task's tools, uses one, and gets through a call that people decide. */

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(2_000);
});
afterAll(() => stage.close());

describe.each(cells.filter(({ special, way }) => special === null && way !== 'interactive'))('$host, $generation, $way', ({ host, generation, way, rung }) => {
  it('lists, calls, waits for two people and is answered', async () => {
    if (way === 'interactive') return;
    const { entry, session } = await stage.enter(way);
    const client = await openHost(host, entry, { generation, rung });
    if (way === 'connection token') await client.call('open_task', { use_case: 'pay-alone', objective: 'Pay what is due', inputs: {} });
    expect(await client.list()).toContain(pay);
    expect(await client.call(pay, paymentOf(20))).toMatchObject({ isError: false });
    const answered = followTold(client, pay, paymentOf(600));
    const approval = await stage.waiting(session);
    await stage.approve(approval);
    expect((await answered).told).toMatchObject({ isError: false });
    await client.close();
  });
});
