import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { examineWaiting } from '../../server/cli/examine-waiting.ts';
import { openSqliteStore } from '../../server/store/index.ts';
import { newChange } from '../contract/changes.contract.ts';
import { applyTenant, body, channel, hour, newBreakGlass, open, start } from '../contract/samples.ts';

it('the doctor names what waits for people: widenings, overdue reviews of break-glass, channels that reach nobody', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'taskgate-waiting-'));
  const store = await openSqliteStore({ path: join(folder, 'taskgate.db'), clock: () => start });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  await applyTenant(store, 'acme', 0, [channel('on-call'), channel('gone')]);
  await applyTenant(store, 'globex');
  expect(await examineWaiting(store, start)).toEqual([]);

  const { tenant, id } = newChange();
  await store.requestChange(newChange());
  await open(store);
  const asked = await store.requestBreakGlass(newBreakGlass('acme', 'ses_1'));
  if (!asked.done) throw new Error(asked.why);
  const confirmer = { person: 'local#carl', name: 'carl' };
  const confirmed = await store.confirmBreakGlass({
    ...{ tenant, id: asked.row.id, confirmer, revision: 1, at: start + 1, reviewMs: hour, record: body('break_glass.activated', { tenant }) },
  });
  if (!confirmed.done) throw new Error(confirmed.why);
  await store.endBreakGlass(tenant, asked.row.id, 'over', start + 2, body('break_glass.ended', { tenant }));
  await store.notify(tenant, { type: 'channel.test', at: start, about: 't', facts: {}, channel: 'gone' });
  const leased = (await store.leaseDeliveries(tenant, { lease: 'l', at: start + 3, until: start + hour })).find((one) => one.channel === 'gone');
  const settled = { tenant, channel: 'gone', lease: 'l', at: start + 3, error: 'gone', record: null, notification: leased?.notification ?? '' };
  await store.settleDelivery({ ...settled, outcome: { kind: 'given_up', gone: true } });

  const now = (await examineWaiting(store, start + 4)).map(({ check, state, finding }) => [check, state, finding]);
  expect(now).toEqual([
    ['changes', 'note', expect.stringContaining(`acme ${id} waits for a second admin`)],
    ['channels', 'bad', expect.stringContaining('acme gone: its receiver says that it is gone')],
  ]);
  const later = await examineWaiting(store, start + 400 * 24 * hour);
  expect(later.map(({ check }) => check)).toEqual(['break-glass', 'channels']);
  expect(later[0]).toMatchObject({ state: 'bad', remedy: expect.stringContaining(`break-glass review ${asked.row.id}`) });
});
