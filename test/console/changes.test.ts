import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { fieldOf, loggedIn } from './visit.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.end());

/** dana asks for more: the change as it waits. */
async function asked(clearance: string, reason: string): Promise<{ id: string; digest: string }> {
  const text = await readFile(join(broker.documents, 'tenants/acme/agents.yaml'), 'utf8');
  const files = [{ source: 'agents.yaml', text: text.replace(/clearance: \w+/, `clearance: ${clearance}`) }];
  const { body } = await broker.v1(await broker.person('acme', 'dana'), 'POST', '/documents/apply', { files, reason });
  const [change] = (body as unknown as { waiting: { id: string; digest: string }[] }).waiting;
  if (!change) throw new Error('nothing waits');
  return change;
}
const clearance = async () => (await broker.ports.tenants.current('acme'))?.agents.get('invoice-matcher')?.clearance;

it('shows what waits as a difference with its digest, and approves exactly that, as another admin', async () => {
  const { id, digest } = await asked('restricted', 'the <b>payroll</b>\u202e project');
  const dana = await loggedIn(broker, 'dana');
  const own = (await dana.get(`/console/changes/${id}`)).text;
  expect(own).toContain('another admin has to approve it');
  expect(own).not.toContain('value="approve"');
  const csrf = fieldOf(own, 'csrf');
  const refused = await dana.post(`/console/changes/${id}/decide`, { csrf, digest, decision: 'approve' });
  expect([refused.status, await clearance()]).toEqual([403, 'confidential']);

  const emma = await loggedIn(broker, 'emma');
  expect((await emma.get('/console/changes')).text).toContain(`href="/console/changes/${id}"`);
  const page = (await emma.get(`/console/changes/${id}`)).text;
  for (const words of [
    'Agent invoice-matcher',
    'clearance: confidential → restricted (widens)',
    'gives more',
    digest,
    'the &lt;b&gt;payroll',
    'right-to-left override',
  ])
    expect(page).toContain(words);
  expect(fieldOf(page, 'digest')).toBe(digest);
  const fields = { csrf: fieldOf(page, 'csrf'), decision: 'approve', reason: 'agreed' };
  expect((await emma.post(`/console/changes/${id}/decide`, { ...fields, digest: 'f'.repeat(64) })).status).toBe(409);
  expect((await emma.post(`/console/changes/${id}/decide`, { ...fields, digest, csrf: 'forged' })).status).toBe(403);
  expect((await emma.post(`/console/changes/${id}/decide`, { ...fields, digest }, { origin: 'https://evil.example' })).status).toBe(403);
  expect(await clearance()).toBe('confidential');
  const done = await emma.post(`/console/changes/${id}/decide`, { ...fields, digest });
  expect([done.status, done.headers.get('location')]).toEqual([303, '/console/changes?say=change-approved']);
  expect(await clearance()).toBe('restricted');
  expect((await emma.get('/console/changes?status=applied')).text).toContain(`/console/changes/${id}`);
});

it('names the tools that are held because they changed, to admins', async () => {
  const emma = await loggedIn(broker, 'emma');
  expect((await emma.get('/console/changes')).text).not.toContain('Held tools');
  const stored = await broker.ports.store.readConfiguration('acme');
  const pin = stored?.pins.find(({ tool }) => tool === 'post_payment');
  if (!stored || !pin) throw new Error('nothing is pinned');
  const { revision, ...next } = stored;
  const quarantine = [{ upstream: 'ledger', tool: 'post_payment', change: 'changed', pinned: pin.digest, seen: null, at: 1 }] as const;
  await broker.ports.store.applyConfiguration({ platform: null, tenants: [{ expectedRevision: revision, next: { ...next, quarantine }, records: [] }] });
  const page = (await emma.get('/console/changes')).text;
  expect(page).toContain('<code>ledger__post_payment</code> is not as it was pinned');
  expect(page).toContain('npx taskgate tool diff ledger');
});

it('takes a change back with a reason, which its author reads', async () => {
  await broker.v1(await broker.person('acme', 'dana'), 'POST', '/agents/invoice-matcher/suspend', { reason: 'odd payments' });
  const { body } = await broker.v1(await broker.person('acme', 'dana'), 'POST', '/agents/invoice-matcher/activate', {});
  const { id, digest } = (body as unknown as { waiting: { id: string; digest: string } }).waiting;
  const emma = await loggedIn(broker, 'emma');
  const fields = { csrf: fieldOf((await emma.get(`/console/changes/${id}`)).text, 'csrf'), digest, decision: 'reject' };
  expect((await emma.post(`/console/changes/${id}/decide`, fields)).status).toBe(422);
  expect((await emma.post(`/console/changes/${id}/decide`, { ...fields, reason: 'not yet looked into' })).status).toBe(303);
  const dana = await loggedIn(broker, 'dana');
  expect((await dana.get(`/console/changes/${id}`)).text).toContain('not yet looked into');
});

it('is for admins and auditors of the tenant alone', async () => {
  const bob = await loggedIn(broker, 'bob');
  const jan = await loggedIn(broker, 'jan', 'globex');
  const [change] = await broker.ports.store.listChanges('acme', {}, { after: null, limit: 1 });
  expect((await bob.get('/console/changes')).status).toBe(404);
  const [there, nowhere] = [await jan.get(`/console/changes/${change?.id}`), await jan.get('/console/changes/chg_AAAAAAAAAAAAAAAAAAAAAA')];
  expect([there.status, there.text]).toEqual([404, nowhere.text]);
});
