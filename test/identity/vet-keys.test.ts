import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { provePayload } from '../../server/identity/jwt.ts';
import { oidcAlgorithms, vetKey, vetKeySet } from '../../server/identity/vet-keys.ts';
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

interface Suite {
  readonly jwks: readonly unknown[];
  readonly tests: readonly {
    readonly tcId: number;
    readonly comment: string;
    readonly jwks: number;
    readonly jws: string;
    readonly expect: 'valid' | 'invalid';
  }[];
}
const suites = process.env['TASKGATE_SUITES'] ?? join(import.meta.dirname, '../../../shared/suites');
const files = ['json_web_signature', 'json_web_key', 'json_web_crypto'].map((name) => join(suites, 'wycheproof-jose', `${name}.json`));
const present = files.every((file) => existsSync(file));

describe.skipIf(!present)(`the Wycheproof vectors${present ? '' : ` (skipped: not found in ${suites})`}`, () => {
  it.each(files)('hold no invalid signature that is believed: %s', async (file) => {
    const suite = JSON.parse(readFileSync(file, 'utf8')) as Suite;
    const wrong: string[] = [];
    let believed = 0;
    for (const { tcId, comment, jwks, jws, expect: expected } of suite.tests) {
      const keys = vetKeySet(suite.jwks[jwks], 'sig') ?? [];
      if (!(await provePayload(jws, keys, oidcAlgorithms))) continue;
      believed += 1;
      if (expected === 'invalid') wrong.push(`${tcId} ${comment}`);
    }
    expect(wrong).toEqual([]);
    // Some good ones pass, or the test would show nothing.
    if (file.includes('signature')) expect(believed).toBeGreaterThan(10);
  });
});
