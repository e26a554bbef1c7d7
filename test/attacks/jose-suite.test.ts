import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRefusal } from '../../server/call/refusals.ts';
import { authenticate, verifyPersonToken, verifyWorkload } from '../../server/identity/index.ts';
import { provePayload } from '../../server/identity/jwt.ts';
import { oidcAlgorithms, vetKeySet } from '../../server/identity/vet-keys.ts';
import { delegated, granted, types } from '../identity/local-client.ts';
import { issuerOf, nowOf, sendJson, serve, startTestBroker, type TestBroker } from '../identity/support.ts';
import { readSuite } from '../support/suites.ts';

/** The JOSE vectors of Wycheproof as tokens: at the signature, and at every door that takes one. */

interface Suite {
  readonly jwks: readonly { readonly keys: readonly object[] }[];
  readonly tests: readonly {
    readonly tcId: number;
    readonly comment: string;
    readonly jwks: number;
    readonly jws: unknown;
    readonly expect: 'valid' | 'invalid';
  }[];
}
const names = ['json_web_signature', 'json_web_key', 'json_web_crypto'];
const suites = names.map((name) => readSuite<Suite>(`wycheproof-jose/${name}.json`));
const present = suites.every((one) => one !== null);
const vectors = suites.flatMap((suite, file) =>
  (suite?.tests ?? []).map(({ tcId, comment, jwks, jws, expect: expected }) => ({
    id: `${names[file]} ${tcId} ${comment}`,
    set: `${file}-${jwks}`,
    keys: suite?.jwks[jwks] ?? { keys: [] },
    text: typeof jws === 'string' ? jws : JSON.stringify(jws),
    expected,
  })),
);
const sets = new Map(vectors.map(({ set, keys }) => [set, keys]));
const algorithmOf = (text: string): string => /"alg":"([^"]*)"/.exec(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString())?.[1] ?? '';

/** A key that names its algorithm is good for no other, whatever the signature (RFC 7517 §4.4). */
const isKeyFor = (keys: { readonly keys: readonly object[] }, alg: string): boolean =>
  keys.keys.some((key) => !('alg' in key) || key.alg === undefined || key.alg === alg);

describe.skipIf(!present)(`Wycheproof (${present ? `${vectors.length} vectors` : 'not found: skipped'})`, () => {
  it('believes no signature that is invalid, and every valid one of an algorithm that is allowed', async () => {
    const wrong: string[] = [];
    for (const { id, keys, text, expected } of vectors) {
      const believed = (await provePayload(text, vetKeySet(keys, 'sig') ?? [], oidcAlgorithms)) !== null;
      const allowed = (oidcAlgorithms as readonly string[]).includes(algorithmOf(text)) && isKeyFor(keys, algorithmOf(text));
      if (believed !== (expected === 'valid' && allowed)) wrong.push(`${believed ? 'believed' : 'refused'}: ${id}`);
    }
    expect(wrong).toEqual([]);
  });

  describe('with its keys as what a tenant trusts', () => {
    let broker: TestBroker;
    let issuer: Awaited<ReturnType<typeof serve>>;
    beforeAll(async () => {
      issuer = await serve((request, response) => {
        const set = request.url?.split('/')[1] ?? '';
        const own = `${issuer.url}/${set}`;
        sendJson(response, request.url?.endsWith('keys') ? sets.get(set) : { issuer: own, jwks_uri: `${own}/keys` });
      });
      broker = await startTestBroker();
    });
    afterAll(async () => {
      await Promise.all([broker.close(), issuer.close()]);
    });

    it('no vector is a workload, a login or a task, neither as it is nor around claims that would pass', async () => {
      const [accepted, fetched] = [[] as string[], issuer.hits()];
      for (const { id, set, text } of vectors) {
        const iss = `${issuer.url}/${set}`;
        const trust = (['workloads', 'people'] as const).map((use) => ({ oidc: iss, for: use, audience: 'taskgate' }));
        const acme = broker.snapshot();
        const snapshot = {
          ...acme,
          trust,
          agents: new Map([...acme.agents].map(([name, agent]) => [name, { ...agent, identity: { issuer: iss, subject: 'm' } }])),
        };
        const claims = { iss, sub: 'm', aud: issuerOf(broker), iat: nowOf(broker), exp: nowOf(broker) + 300, jti: id };
        const [head = '', , signature = ''] = text.split('.');
        const around = (changed: object): string => [head, Buffer.from(JSON.stringify({ ...claims, ...changed })).toString('base64url'), signature].join('.');
        const answers = [
          ...(await Promise.all([text, around({})].map((jwt) => verifyWorkload(broker.ports, snapshot as never, jwt)))),
          ...(await Promise.all([text, around({ aud: 'taskgate' })].map((jwt) => verifyPersonToken(broker.ports, snapshot as never, jwt, [])))),
          ...(await Promise.all([text, around({})].map((jwt) => authenticate(broker.ports, { authorization: `Bearer ${jwt}`, door: 'mcp', session: null })))),
        ];
        if (!answers.every(isRefusal)) accepted.push(id);
      }
      expect(accepted).toEqual([]);
      // The keys were really asked for, or nothing was tried.
      expect(issuer.hits() - fetched).toBeGreaterThan(20);
    });

    it('no vector is an actor, an assertion or a task at the token endpoint', async () => {
      const form = await delegated(broker);
      const { access_token } = granted(await broker.post('token', await delegated(broker)));
      for (const { text, id } of vectors) {
        const empty = text === '';
        const actor = await broker.post('token', { ...form, actor_token: text });
        expect([actor.status, actor.body['error']], id).toEqual([400, empty ? 'invalid_request' : 'invalid_grant']);
        const assertion = { client_assertion_type: types.assertion, client_assertion: text };
        expect((await broker.post('introspect', { token: access_token, ...assertion })).status, id).toBe(empty ? 400 : 401);
        const asked = await broker.post('introspect', { token: text, ...assertion });
        expect(asked.body['active'] ?? false, id).toBe(false);
      }
    });
  });
});

describe('a task token', () => {
  it('is itself alone: no character of it changed, taken out or put in is let in', async () => {
    const broker = await startTestBroker();
    const { access_token: token, details } = granted(await broker.post('token', await delegated(broker)));
    const at = (text: string) => authenticate(broker.ports, { authorization: `Bearer ${text}`, door: 'session', session: details.session_id });
    expect(isRefusal(await at(token))).toBe(false);
    const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=~+/ ,'];
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...alphabet), fc.constantFrom('replace', 'insert', 'delete'), async (where, char, how) => {
        const changed = token.slice(0, where) + (how === 'delete' ? '' : char) + token.slice(how === 'insert' ? where : where + 1);
        // More space before a credential is none of it (RFC 6750 §2.1).
        fc.pre(changed.trimStart() !== token);
        expect(isRefusal(await at(changed)), changed).toBe(true);
      }),
      { numRuns: 400 },
    );
    // The last character of a signature has bits that mean nothing; they are none.
    for (const char of alphabet) if (!token.endsWith(char)) expect(isRefusal(await at(token.slice(0, -1) + char)), char).toBe(true);
    await broker.close();
  });
});
