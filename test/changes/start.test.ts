import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { banner } from '../../server/cli/banner.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.end());

/** Starts the broker again on what it left, with a document changed. */
async function again(change: Parameters<typeof startTestBroker>[0]): Promise<void> {
  await broker.close();
  broker = await startTestBroker({ ...change, dir: broker.dir });
}
const wider = (document: Record<string, unknown>) =>
  document['name'] === 'invoice-matcher' && document['kind'] === 'Agent' ? { ...document, clearance: 'restricted' } : document;
const clearance = async () => (await broker.ports.tenants.current('acme'))?.agents.get('invoice-matcher')?.clearance;
const said = () => banner({ url: broker.url, data: './data', samples: false, unconfined: [], observed: [], plan: broker.plan, waiting: broker.waiting });

it('a later start lets what widens wait, says so loudly with the command, and says the same at the next', async () => {
  expect(broker.waiting).toEqual([]);
  await again({ change: wider });
  const [first] = broker.waiting;
  expect(first).toMatchObject({ tenant: 'acme', author: 'operator', items: [{ kind: 'Agent', name: 'invoice-matcher' }] });
  expect(said()).toMatch(new RegExp(`WAITS.* 1 item waits for another admin of acme until .*: npx taskgate change show ${first?.id} --tenant acme --url`));
  expect(broker.logged()).toContain('what widens waits for an admin of the tenant');
  expect(await clearance()).toBe('confidential');
  await again({ change: wider });
  expect(broker.waiting.map(({ id }) => id)).toEqual([first?.id]);

  const dana = await broker.person('acme', 'dana');
  expect((await broker.v1(dana, 'POST', `/changes/${first?.id}/approve`, { digest: first?.digest })).status).toBe(200);
  expect(await clearance()).toBe('restricted');
  await again({ change: wider });
  expect([broker.waiting, broker.plan]).toEqual([[], null]);
});

it('a change outlives the broker it was asked of', async () => {
  const text = (await readFile(join(broker.documents, 'tenants/acme/agents.yaml'), 'utf8')).replace('review_by: 2027-01-31', 'review_by: 2027-02-28');
  const dana = await broker.person('acme', 'dana');
  const { body } = await broker.v1(dana, 'POST', '/documents/apply', { files: [{ source: 'agents.yaml', text }] });
  const [{ id, digest }] = body['waiting'] as [{ id: string; digest: string }];
  await again({ change: wider });
  const approved = await broker.v1(await broker.person('acme', 'emma'), 'POST', `/changes/${id}/approve`, { digest });
  expect(approved.status).toBe(200);
  expect((await broker.ports.tenants.current('acme'))?.agents.get('invoice-matcher')?.review_by).toBe('2027-02-28');
});
