import { describe, expect, it } from 'vitest';
import { vetKey, vetKeySet } from '../../server/identity/vet-keys.ts';
import { makeTestKey } from './support.ts';

describe('a public key', () => {
  it('is rebuilt from the members that make it, nothing else', async () => {
    const { publicJwk, kid } = await makeTestKey();
    expect(vetKey({ ...publicJwk, x5u: 'https://evil.example', key_ops: ['verify'], ext: 1 })).toEqual({ ...publicJwk, kid, use: 'sig' });
  });

  it('is refused when it is symmetric, private, on an unknown curve, or not an object', async () => {
    const { publicJwk, privateJwk } = await makeTestKey();
    for (const bad of [
      { kty: 'oct', k: 'AA' },
      privateJwk,
      { ...publicJwk, crv: 'secp256k1' },
      { ...publicJwk, k: 'AA' },
      { ...publicJwk, key_ops: ['sign'] },
      null,
      'key',
      [],
    ])
      expect(vetKey(bad)).toBeNull();
  });

  it('of RSA is refused below 2048 bits, with an even modulus, and with an exponent of 1, 3, or an even one', async () => {
    const { publicJwk } = await makeTestKey('RS256', { modulusLength: 2048 });
    expect(vetKey(publicJwk)).not.toBeNull();
    const bytes = Buffer.from(publicJwk.n ?? '', 'base64url');
    const even = Buffer.from(bytes);
    even.writeUInt8((even.at(-1) ?? 0) & 0xfe, even.length - 1);
    const short = Buffer.concat([bytes.subarray(0, 127), Buffer.from([1])]);
    for (const n of [even, short]) expect(vetKey({ ...publicJwk, n: n.toString('base64url') })).toBeNull();
    for (const e of ['AQ', 'Aw', 'AQAA', '']) expect(vetKey({ ...publicJwk, e })).toBeNull();
  });

  it('counts in a bundle only with use jwt-svid and a kid, in an issuer’s set only for signatures', async () => {
    const { publicJwk } = await makeTestKey();
    const uses = ['jwt-svid', 'x509-svid', 'sig', 'enc', undefined];
    const keys = uses.map((use) => ({ ...publicJwk, use }));
    expect(vetKeySet({ keys }, 'jwt-svid')).toHaveLength(1);
    expect(vetKeySet({ keys }, 'sig')).toHaveLength(2);
    expect(vetKeySet({ keys: [{ ...publicJwk, kid: undefined, use: 'jwt-svid' }] }, 'jwt-svid')).toEqual([]);
    for (const bad of [null, [], { keys: {} }, { keys: Array(101).fill(publicJwk) }]) expect(vetKeySet(bad, 'sig')).toBeNull();
  });
});
