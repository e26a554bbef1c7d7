import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpoints } from '../../server/api/routes.ts';
import { sha256Hex } from '../../tools/index.ts';
import { type Api, openApi } from '../api/fixture.ts';
import { acme, globex, secretArgument } from '../approvals/fixture.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

/** Everyone of globex who could hope to see something of acme. */
const outsiders = [globex('local#jan'), globex('local#hugo'), globex('local#greta')];
/** The same people of the same issuers as in acme, with a token of globex. */
const sameSubjects = [acme('local#bob'), acme('local#dana'), acme('local#ana')].map((person) => ({ ...person, tenant: 'globex' }));

async function sameAnswer(method: string, there: string, nowhere: string, body?: unknown): Promise<void> {
  for (const person of [...outsiders, ...sameSubjects]) {
    const [real, none] = await Promise.all([api.as(person, method, there, body), api.as(person, method, nowhere, body)]);
    expect([real.status, real.text, [...real.headers]]).toEqual([none.status, none.text, [...none.headers]]);
    expect([401, 403, 404]).toContain(real.status);
  }
}

const missing = 'AAAAAAAAAAAAAAAAAAAAAA';

describe("another tenant's things answer exactly like things that do not exist", () => {
  test('an approval: read, decided, revoked', async () => {
    const row = await api.ask(await api.openSession());
    const [there, nowhere] = [`/approvals/${row.id}`, `/approvals/apr_${missing}`];
    await sameAnswer('GET', there, nowhere);
    await sameAnswer('POST', `${there}/decisions`, `${nowhere}/decisions`, { decision: 'approve', digest: row.digest });
    await sameAnswer('POST', `${there}/decisions`, `${nowhere}/decisions`, { decision: 'deny', digest: row.digest, reason: 'because I can' });
    await sameAnswer('POST', `${there}/revoke`, `${nowhere}/revoke`, {});
    expect(await api.ports.store.readApproval('acme', row.id)).toEqual(row);
  });
  test('a session: read, ended, suspended', async () => {
    const session = await api.openSession();
    const [there, nowhere] = [`/sessions/${session.id}`, `/sessions/ses_acme_${missing}`];
    await sameAnswer('GET', there, nowhere);
    await sameAnswer('POST', `${there}/end`, `${nowhere}/end`, {});
    await sameAnswer('POST', `${there}/suspend`, `${nowhere}/suspend`, { reason: 'because I can' });
    expect((await api.ports.store.readSession('acme', session.id))?.session.status).toBe('active');
  });
  test('an agent, its tokens and a credential, by a name that only the other tenant has', async () => {
    await api.changePeople('acme', { dana: { subject: 'local#dana', roles: ['admin'] }, emma: { subject: 'local#emma', roles: ['admin'] } });
    const made = await api.as(acme('local#dana'), 'POST', '/agents/invoice-matcher/tokens', { expires_in: 3600 });
    const { id, digest } = made.json.waiting;
    expect((await api.as(acme('local#emma'), 'POST', `/changes/${id}/approve`, { digest })).status).toBe(200);
    const hash = sha256Hex(made.json.token);
    expect(made.json.id).toBe(hash);
    await sameAnswer('DELETE', `/agents/invoice-matcher/tokens/${hash}`, `/agents/invoice-matcher/tokens/${'0'.repeat(64)}`);
    expect((await api.ports.store.readAgentToken(hash))?.revoked).toBe(false);
    await api.ports.store.putSecret('acme', 'acme-only', new Uint8Array(40), api.now.at, { type: 'credential.set', at: api.now.at, tenant: 'acme' });
    await sameAnswer('PUT', '/credentials/acme-only', '/credentials/nowhere', { value: 'overwritten' });
    expect((await api.ports.store.readSecret('acme', 'acme-only'))?.version).toBe(1);
  });
});

describe('nothing crosses', () => {
  test('no list and no detail of globex holds anything of acme, for anyone', async () => {
    const session = await api.openSession({ objective: 'acme-canary-objective' });
    await api.ask(session);
    for (const person of [...outsiders, ...sameSubjects]) {
      for (const one of endpoints.filter(({ method, path }) => method === 'get' && !path.includes('{'))) {
        const { text } = await api.as(person, 'GET', one.path);
        for (const canary of [session.id, secretArgument, 'acme-canary-objective', 'spiffe://acme.example', '"acme"']) expect(text).not.toContain(canary);
      }
    }
  });
  test('an admin cannot apply documents of another tenant, which look as if it did not exist, nor the operator’s', async () => {
    const jan = globex('local#jan');
    const file = (tenant: string) => ({
      files: [{ source: 'x.yaml', text: `kind: Tenant\nname: ${tenant}\npeople:\n  jan: { subject: "local#jan", roles: [admin] }\n` }],
    });
    for (const verb of ['plan', 'apply']) {
      const [real, none] = await Promise.all([
        api.as(jan, 'POST', `/documents/${verb}`, file('acme')),
        api.as(jan, 'POST', `/documents/${verb}`, file('nowhere')),
      ]);
      expect(real.status).toBe(422);
      expect(real.text.replaceAll('acme', 'nowhere')).toBe(none.text);
      const operator = { files: [{ source: 'p.yaml', text: 'kind: Platform\noperators: ["local#jan"]\ntenants: {}\n' }] };
      expect((await api.as(jan, 'POST', `/documents/${verb}`, operator)).status).toBe(422);
    }
    expect(await api.ports.store.readPlatform()).toMatchObject({ body: { operators: [] } });
  });
  test('a token for one tenant with the tenant claim of another is nobody', async () => {
    const token = await api.tokenOf(globex('local#jan'));
    const [head, claims, signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()), tenant: 'acme' })).toString('base64url');
    const answer = await api.as(null, 'GET', '/me', undefined, { authorization: `Bearer ${head}.${forged}.${signature}` });
    expect(answer.status).toBe(401);
  });
});
