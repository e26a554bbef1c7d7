import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { open, settlement, start, take } from '../contract/samples.ts';
import { openBench } from '../store/bench.ts';

/** A broker knows the session it works for by heart. Whoever changes the file behind its back is still the authority, by the very next claim. */

/** What another process does to the file, past all of Taskgate's code. */
const behindItsBack = (path: string, statement: string): void => {
  const other = new DatabaseSync(path, { timeout: 2_000 });
  other.exec(statement);
  other.close();
};

it.each([
  ['ended', `UPDATE sessions SET status = 'ended', end_reason = 'revoked', ended_at = ${start}`, 'session'],
  ['suspended with its agent', `INSERT INTO agents (tenant, agent, status) VALUES ('acme', (SELECT agent FROM sessions), 'suspended')`, 'session'],
  ['under another configuration', `UPDATE tenants SET revision = revision + 1`, 'revision'],
  ['under another label', `UPDATE lineages SET version = version + 1`, 'labels'],
])('a session that another process left %s takes no call more, though it is known by heart', async (_, statement, why) => {
  const { path, store } = await openBench();
  await open(store);
  await store.readSession('acme', 'ses_1');
  expect((await take(store)).claimed).toBe(true);
  behindItsBack(path, statement);
  expect(await take(store)).toMatchObject({ claimed: false, why });
});

it('a budget that another process has used up is used up, and the record goes on behind its last record', async () => {
  const { path, store, another } = await openBench();
  await open(store);
  const draws = [{ scope: 'session/ses_1', key: 'calls', amount: 1, limit: 3 }];
  expect((await take(store, { draws })).claimed).toBe(true);
  const other = await another();
  expect((await take(other, { dispatch: 'dsp_2', draws })).claimed).toBe(true);
  expect((await take(other, { dispatch: 'dsp_3', draws })).claimed).toBe(true);
  expect(await take(store, { dispatch: 'dsp_4', draws })).toMatchObject({ claimed: false, why: 'budget' });
  behindItsBack(path, `DELETE FROM counters`);
  const again = await take(store, { dispatch: 'dsp_5', draws });
  expect(again).toMatchObject({ claimed: true, recordIndex: (await other.readRecords('acme', 0, 100)).length - 1 });
});

it('a result that comes back after another process ended its session is not released', async () => {
  const { path, store } = await openBench();
  await open(store);
  const taken = await take(store, { dispatch: 'dsp_out' });
  if (!taken.claimed) throw new Error('not claimed');
  behindItsBack(path, `UPDATE sessions SET status = 'ended', end_reason = 'revoked', ended_at = ${start}`);
  expect(await store.settle(settlement({ dispatch: 'dsp_out', fence: taken.fence }))).toMatchObject({ release: 'session_ended' });
});
