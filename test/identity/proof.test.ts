import { beforeAll, describe, expect, it } from 'vitest';
import { type Proof, verifyProof } from '../../server/identity/index.ts';
import { athOf, type Holder, newHolder, proofOf } from '../support/proofs.ts';

const url = 'http://localhost:7411/sessions/ses_acme_AAAAAAAAAAAAAAAAAAAAAA/mcp';
const token = 'a.b.c';

let holder: Holder;
let other: Holder;
let rsa: Holder;
beforeAll(async () => {
  [holder, other, rsa] = [await newHolder(), await newHolder(), await newHolder('RS256')];
});

const now = (): number => Math.floor(Date.now() / 1000);
const verify = (proof: string, over: Partial<Parameters<typeof verifyProof>[0]> = {}) =>
  verifyProof({ proof, method: 'POST', url, token: { text: token, jkt: holder.jkt }, now: Date.now(), ...over });
const prove = (over: Parameters<typeof proofOf>[4] = {}, by = holder) => proofOf(by, 'POST', url, token, over);
const problemOf = async (proof: string, over: Parameters<typeof verify>[1] = {}): Promise<string> => {
  const answer = await verify(proof, over);
  return 'problem' in answer ? answer.problem : 'none';
};

describe('a proof', () => {
  it('shows whose key it is and what it is remembered by, long enough for replicas whose clocks differ', async () => {
    const iat = now();
    const proof = (await verify(await prove({ claims: { jti: 'one', iat } }))) as Proof;
    expect(proof).toEqual({
      jkt: holder.jkt,
      once: { scope: `dpop/${holder.jkt}`, key: 'one', expiresAt: (iat + 600) * 1000, issuedAt: iat * 1000 },
    });
  });

  it.each(['ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'EdDSA', 'Ed25519'])('is by a key of %s as by any other of the list', async (alg) => {
    const by = await newHolder(alg);
    for (let n = 0; n < 2; n++) expect(await verify(await prove({}, by), { token: { text: token, jkt: by.jkt } })).toMatchObject({ jkt: by.jkt });
    expect(await problemOf(await prove({}, by))).toBe('it is by another key than the token is bound to');
  });

  it.each<[string, object | null, object | null, RegExp]>([
    ['another method', { htm: 'GET' }, null, /htm is another method/],
    ['a method in other case', { htm: 'post' }, null, /htm/],
    ['no method', { htm: undefined }, null, /htm/],
    ['another door', { htu: 'http://localhost:7411/mcp' }, null, /htu is not http:\/\/localhost:7411\/sessions/],
    ['another host', { htu: url.replace('localhost', 'evil.example') }, null, /htu/],
    ['another port', { htu: url.replace('7411', '7412') }, null, /htu/],
    ['another scheme', { htu: url.replace('http:', 'https:') }, null, /htu/],
    ['a door with a user in it', { htu: url.replace('localhost', 'me@localhost') }, null, /htu/],
    ['a path that is escaped', { htu: url.replace('/mcp', '/%6Dcp') }, null, /htu/],
    ['a longer path', { htu: `${url}/` }, null, /htu/],
    ['a list of doors', { htu: [url] }, null, /htu/],
    ['no door', { htu: undefined }, null, /htu/],
    ['a time long past', { iat: now() - 400 }, null, /iat/],
    ['a time to come', { iat: now() + 400 }, null, /iat/],
    ['a time in words', { iat: String(now()) }, null, /iat/],
    ['no time', { iat: undefined }, null, /iat/],
    ['an end that is past', { exp: now() - 1 }, null, /exp/],
    ['an end in words', { exp: 'never' }, null, /exp/],
    ['a beginning that is not yet', { nbf: now() + 1_000 }, null, /not valid yet/],
    ['another token', { ath: athOf('a.b.d') }, null, /ath/],
    ['no token', { ath: undefined }, null, /ath/],
    ['the token itself', { ath: token }, null, /ath/],
    ['no id', { jti: undefined }, null, /jti/],
    ['an empty id', { jti: '' }, null, /jti/],
    ['an id without end', { jti: 'x'.repeat(257) }, null, /jti/],
    ['an id that is a number', { jti: 7 }, null, /jti/],
    ['the typ of an access token', null, { typ: 'at+jwt' }, /typ/],
    ['the typ JWT', null, { typ: 'JWT' }, /typ/],
    ['no typ', null, { typ: undefined }, /typ/],
    ['no key', null, { jwk: undefined }, /no jwk/],
    ['a key in words', null, { jwk: 'key' }, /no jwk/],
    ['what must be understood', null, { crit: ['b64'], b64: true }, /critical/],
  ])('that names %s is refused', async (_what, claims, header, problem) => {
    expect(await problemOf(await prove({ ...(claims ? { claims } : {}), ...(header ? { header } : {}) }))).toMatch(problem);
  });

  it('may name its door in each way that clients write it: with a query, a fragment, or in other case where that means nothing', async () => {
    for (const htu of [`${url}?a=1`, `${url}#x`, url.replace('http://localhost', 'HTTP://LocalHost'), url.replace('/sessions', '/./sessions')])
      expect(await problemOf(await prove({ claims: { htu } })), htu).toBe('none');
  });

  it('is by no algorithm but an asymmetric one of the list, with a key made for it', async () => {
    const [head = '', body = ''] = (await prove()).split('.');
    const under = (header: object): string => `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${body}.`;
    const stated = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
    expect(await problemOf(under({ ...stated, alg: 'none' }))).toMatch(/not exactly one JWT|alg/);
    const secret = { kty: 'oct', k: Buffer.from('a'.repeat(32)).toString('base64url') };
    const symmetric = await prove({ header: { alg: 'HS256', jwk: secret }, signedBy: Buffer.from('a'.repeat(32)) });
    expect(await problemOf(symmetric)).toBe('alg not allowed');
    const publicAsSecret = await prove({ header: { alg: 'HS256' }, signedBy: Buffer.from(JSON.stringify(holder.jwk)) });
    expect(await problemOf(publicAsSecret)).toBe('alg not allowed');
    for (const jwk of [
      { ...holder.jwk, crv: 'P-384' },
      { ...holder.jwk, kty: 'RSA' },
      { ...holder.jwk, use: 'enc' },
      { ...holder.jwk, alg: 'ES384' },
      { ...holder.jwk, key_ops: ['encrypt'] },
      { ...holder.jwk, x: holder.jwk.y },
      { kty: 'RSA', n: Buffer.alloc(64, 0xff).toString('base64url'), e: 'AQAB' },
      { kty: 'RSA', n: Buffer.alloc(513, 0xff).toString('base64url'), e: 'AQAB' },
    ])
      expect(await problemOf(await withKey(jwk)), JSON.stringify(jwk)).toBe('its jwk is not a public key fit for its alg');
    expect(await problemOf(await withKey({ kty: 'RSA', n: Buffer.alloc(512, 0xff).toString('base64url'), e: 'AQAB' }))).toMatch(/another key/);
  });

  /** Under an algorithm of its kind; whoever shows it cannot sign with it. */
  const withKey = (jwk: object): Promise<string> =>
    'n' in jwk ? prove({ header: { jwk, alg: 'RS256' }, signedBy: rsa.privateKey }) : prove({ header: { jwk } });

  it('shows no private key, nor any part of one', async () => {
    const { jwk } = await newHolder('RS256');
    for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])
      expect(await problemOf(await prove({ header: { jwk: { ...jwk, [part]: 'AQAB' } } })), part).toBe('its jwk is a private key');
  });

  it('is signed by the key it shows', async () => {
    expect(await problemOf(await prove({ signedBy: other.privateKey }))).toBe('its signature does not verify');
    // The key is known by now; what it did not sign is as wrong as before.
    await verify(await prove());
    expect(await problemOf(await prove({ signedBy: other.privateKey }))).toBe('its signature does not verify');
    const [head, , signature] = (await prove()).split('.');
    const [, body] = (await prove()).split('.');
    expect(await problemOf(`${head}.${body}.${signature}`)).toBe('its signature does not verify');
  });

  it('is one, and no longer than it has to be', async () => {
    const one = await prove();
    for (const proof of [`${one}, ${await prove()}`, `${one},${one}`, `${one} `, one.replaceAll('.', ' '), '', 'a.b.c', `${one}.x`])
      expect(await problemOf(proof), proof).toBe('it is not exactly one JWT');
    expect(await problemOf(await prove({ claims: { more: 'x'.repeat(8_192) } }))).toBe('it is not exactly one JWT');
  });

  it('counts as late by this broker’s clock alone', async () => {
    const proof = await prove();
    for (const [off, problem] of [
      [299, 'none'],
      [-299, 'none'],
      [302, 'its iat is more than 300 s from now'],
      [-302, 'its iat is more than 300 s from now'],
    ] as const)
      expect(await problemOf(proof, { now: Date.now() + off * 1000 })).toBe(problem);
  });
});
