import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalForm } from '../../tools/index.ts';
import { acme, globex, secretArgument } from '../approvals/fixture.ts';
import { type Api, openApi } from './fixture.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const bob = acme('local#bob');
const carl = acme('local#carl');

describe('deciding over /v1', () => {
  test('a reviewer lists, reads, checks the digest and approves; the second makes it approved', async () => {
    const row = await api.ask(await api.openSession());
    const list = await api.as(bob, 'GET', '/approvals');
    expect(list.json.items.map(({ id }: { id: string }) => id)).toContain(row.id);
    expect(list.text).not.toContain(secretArgument);
    const { json } = await api.as(bob, 'GET', `/approvals/${row.id}`);
    expect(json.proposal.arguments).toEqual({ invoice: 'INV-7', iban: secretArgument, amount: 600 });
    expect(createHash('sha256').update(canonicalForm(json.proposal)).digest('hex')).toBe(json.digest);

    const decision = { decision: 'approve', digest: json.digest, reason: 'As ordered' };
    expect((await api.as(bob, 'POST', `/approvals/${row.id}/decisions`, decision)).json.status).toBe('pending');
    expect((await api.as(carl, 'POST', `/approvals/${row.id}/decisions`, decision)).json.status).toBe('approved');
  });

  test('sent again, with an Idempotency-Key or without, a decision answers 200 and is one vote', async () => {
    const row = await api.ask(await api.openSession());
    const decision = { decision: 'approve', digest: row.digest, reason: 'As ordered' };
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, i) => api.as(bob, 'POST', `/approvals/${row.id}/decisions`, decision, i % 2 ? { 'idempotency-key': 'k1' } : {})),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.json.votes).toHaveLength(1);
  });

  test.each([
    ['a sponsor', acme('local#ana'), {}, 403, 'approval.excluded'],
    ['an admin', acme('local#dana'), {}, 403, 'approval.not_reviewer'],
    ['a reviewer of another group', acme('local#lea'), {}, 403, 'approval.not_in_group'],
    ['no role', acme('local#fred'), {}, 404, 'approval.not_found'],
    ['another digest', bob, { digest: '0'.repeat(64) }, 409, 'approval.digest_mismatch'],
    ['a denial without reason', bob, { decision: 'deny' }, 422, 'approval.reason_required'],
    ['a digest that is none', bob, { digest: 'abc' }, 400, 'body.invalid'],
    ['a decision that is none', bob, { decision: 'maybe' }, 400, 'body.invalid'],
    ['a field that is none', bob, { force: true }, 400, 'body.invalid'],
  ])('%s is refused with a problem that says what to do', async (_, person, over, status, code) => {
    const row = await api.ask(await api.openSession());
    const answer = await api.as(person, 'POST', `/approvals/${row.id}/decisions`, { decision: 'approve', digest: row.digest, ...over });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.json).toMatchObject({ type: 'about:blank', status, code, detail: expect.any(String), remedy: expect.any(String) });
    expect((await api.ports.store.readApproval('acme', row.id))?.votes).toEqual([]);
  });

  test('a refused attempt to give it is on the record, a bounded number of times a minute', async () => {
    api.now.at += 120_000;
    const row = await api.ask(await api.openSession());
    const attempt = () =>
      api.as(acme('local#ana'), 'POST', `/approvals/${row.id}/decisions`, { decision: 'approve', digest: row.digest, reason: 'As ordered' });
    for (let i = 0; i < 30; i++) expect((await attempt()).status).toBe(403);
    const refused = (await api.ports.store.readRecords('acme', 0, 500)).filter(({ body }) => body.type === 'access.refused' && body.approval === row.id);
    expect(refused).toHaveLength(20);
    expect(refused[0]?.body).toMatchObject({ actor: 'local#ana', code: 'approval.excluded', detail: 'post /approvals/{id}/decisions', door: 'v1' });
  });

  test('an approval is taken back by an admin', async () => {
    const row = await api.ask(await api.openSession(), ['approval:finance']);
    await api.as(bob, 'POST', `/approvals/${row.id}/decisions`, { decision: 'approve', digest: row.digest, reason: 'As ordered' });
    expect((await api.as(acme('local#dana'), 'POST', `/approvals/${row.id}/revoke`, {})).json.status).toBe('revoked');
    expect((await api.as(acme('local#dana'), 'POST', `/approvals/${row.id}/revoke`)).json.status).toBe('revoked');
  });

  test('pages go on where the one before ended', async () => {
    const session = await api.openSession();
    const made = new Set<string>();
    for (let i = 0; i < 7; i++) made.add((await api.ask(session)).id);
    const seen: string[] = [];
    let next = '';
    do {
      const { json } = await api.as(acme('local#olga'), 'GET', `/approvals?status=pending&limit=3${next}`);
      seen.push(...json.items.map(({ id }: { id: string }) => id));
      next = json.next === null ? '' : `&cursor=${json.next}`;
    } while (next !== '');
    expect(new Set(seen).size).toBe(seen.length);
    for (const id of made) expect(seen).toContain(id);
  });

  test("another tenant's people see none of it", async () => {
    await api.ask(await api.openSession());
    expect((await api.as(globex('local#jan'), 'GET', '/approvals?status=pending')).json).toEqual({ items: [], next: null });
  });
});
