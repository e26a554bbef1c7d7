import type { JWK } from 'jose';
import { z } from 'zod';

/** Asymmetric algorithms, by name; nothing else ever verifies anything here. SPIFFE knows no EdDSA (JWT-SVID §3.1). */
export const spiffeAlgorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const;
export const oidcAlgorithms = [...spiffeAlgorithms, 'EdDSA', 'Ed25519'] as const;

const named = {
  kid: z.string().min(1).max(256).optional(),
  alg: z.string().optional(),
  key_ops: z
    .array(z.string())
    .refine((uses) => uses.includes('verify'))
    .optional(),
};
const encoded = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(2_048);
const publicKey = z.discriminatedUnion('kty', [
  z.object({ ...named, kty: z.literal('RSA'), n: encoded, e: encoded }),
  z.object({ ...named, kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384', 'P-521']), x: encoded, y: encoded }),
  z.object({ ...named, kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: encoded }),
]);
const keySet = z.object({ keys: z.array(z.unknown()).max(100) });

/** The members of a key set that `use` names, as public keys jose takes; null when it is no key set. */
export function vetKeySet(value: unknown, use: 'jwt-svid' | 'sig'): JWK[] | null {
  const set = keySet.safeParse(value);
  if (!set.success) return null;
  return set.data.keys.flatMap((member) => {
    const key = vetKey(member);
    const stated = typeof member === 'object' && member !== null && 'use' in member ? member.use : undefined;
    // A SPIFFE key without the exact use, or without an id, must be ignored (Trust Domain and Bundle §4.2); jose takes only `sig`.
    const fits = use === 'jwt-svid' ? stated === use && key?.kid !== undefined : stated === undefined || stated === 'sig';
    return key && fits ? [key] : [];
  });
}

/** One public key, rebuilt from the members that make it; null when it is unknown, private or weak. */
export function vetKey(value: unknown): JWK | null {
  if (typeof value !== 'object' || value === null || 'd' in value || 'k' in value) return null;
  const parsed = publicKey.safeParse(value);
  if (!parsed.success) return null;
  const key = parsed.data;
  if (key.kty === 'RSA' && !isStrongRsa(key.n, key.e)) return null;
  const { kid, alg, key_ops: _, ...material } = key;
  return { ...material, use: 'sig', ...(kid === undefined ? {} : { kid }), ...(alg === undefined ? {} : { alg }) };
}

/** At least 2048 bits (RFC 7518 §3.3) and an odd exponent above 2^16 (FIPS 186-5): with exponent 1 anyone can sign. */
function isStrongRsa(n: string, e: string): boolean {
  const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex') || '0'}`);
  const exponent = BigInt(`0x${Buffer.from(e, 'base64url').toString('hex') || '0'}`);
  const bits = modulus.toString(2).length;
  const fits = bits >= 2_048 && bits <= 8_192 && modulus % 2n === 1n && exponent > 65_536n && exponent % 2n === 1n && exponent < 2n ** 64n;
  return fits && !isRoca(modulus);
}

/** Moduli of the flawed generator of CVE-2017-15361 are powers of 65537 modulo each of these; of others one in 2^27 is. */
const rocaPrimes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

const isRoca = (modulus: bigint): boolean =>
  rocaPrimes.every((prime) => {
    const residue = Number(modulus % BigInt(prime));
    let power = 1;
    for (let step = 0; step < prime; step++) {
      if (power === residue) return true;
      power = (power * 65_537) % prime;
    }
    return false;
  });
