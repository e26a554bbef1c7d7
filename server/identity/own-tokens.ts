import { compactVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { sha256Hex } from '../../tools/index.ts';
import type { Ports } from '../ports.ts';
import { headerProblem, isOnlyFor, readJwt } from './jwt.ts';
import { tenantIssuer } from './urls.ts';

/** Taskgate's own tokens (RFC 9068 shape): the only source of session claims. */
type TokenPorts = Pick<Ports, 'keys' | 'config' | 'clock'>;

const seconds = z.int().positive();
const common = { iss: z.string(), aud: z.string(), sub: z.string(), tenant: z.string(), jti: z.string(), iat: seconds, exp: seconds };
export const taskClaims = z.strictObject({
  ...common,
  client_id: z.string(),
  act: z.strictObject({ sub: z.string() }).optional(),
  mode: z.enum(['delegated', 'autonomous']),
  agent: z.string(),
  person: z.string(),
  sid: z.string(),
  task_sha256: z.string(),
  /** Names with spaces between (RFC 8693 §4.2); absent in a token that was not narrowed. */
  scope: z.string().optional(),
  /** The key whoever shows it has to prove (RFC 9449 §6.1); absent in a bearer. */
  cnf: z.strictObject({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }).optional(),
});
export type TaskClaims = z.infer<typeof taskClaims>;
export const personClaims = z.strictObject({ ...common, client_id: z.string(), auth_time: seconds.optional() });
export type PersonClaims = z.infer<typeof personClaims>;

const algorithms = ['EdDSA'];
const type = 'at+jwt';

/** Signs with the newest key. `claims` are complete; nothing is added. */
export function signOwn(ports: Pick<Ports, 'keys'>, claims: TaskClaims | PersonClaims): Promise<string> {
  const key = ports.keys.token[0];
  if (!key) throw new Error('no key to sign tokens with');
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', typ: type, kid: key.id }).sign(key.privateKey);
}

/** Why an own token is refused: `expired` may be said to whoever holds it, for everything else about it was right. */
export type OwnTokenProblem<T = unknown> =
  | { readonly problem: 'invalid'; readonly detail: string }
  | { readonly problem: 'expired'; readonly detail: string; readonly claims: T };
const invalid = (detail: string): OwnTokenProblem<never> => ({ problem: 'invalid', detail });

/**
 * Verifies a token of Taskgate's own: signed by a key in use, issued by the issuer of the tenant it names, for exactly
 * this audience (`null`: whichever it names, for revocation and introspection), not past its end.
 */
export async function verifyOwn<T extends TaskClaims | PersonClaims>(
  ports: TokenPorts,
  text: string,
  shape: z.ZodType<T>,
  audience: string | null,
): Promise<T | OwnTokenProblem<T>> {
  const proven = await provenClaims(ports, text);
  if (!proven.ok) return invalid(proven.why);
  const claims = claimsIn(shape, proven.claims);
  if (claims === null) return invalid('not a token of this kind');
  if (claims.iss !== tenantIssuer(ports.config, claims.tenant)) return invalid('iss is not the issuer of its tenant');
  if (audience !== null && !isOnlyFor(claims, audience)) return invalid('aud is another door');
  const now = ports.clock() / 1000;
  if (claims.iat > now + 30) return invalid('issued in the future');
  return claims.exp <= now ? { problem: 'expired', detail: 'past its exp', claims } : claims;
}

/** Claims found to be of a shape, by the claims: those of a remembered token are looked at once. */
const shaped = new WeakMap<object, { readonly shape: z.ZodType; readonly claims: unknown }>();

function claimsIn<T>(shape: z.ZodType<T>, claims: Readonly<Record<string, unknown>>): T | null {
  const before = shaped.get(claims);
  if (before?.shape === shape) return before.claims as T;
  const parsed = shape.safeParse(claims);
  if (!parsed.success) return null;
  shaped.set(claims, { shape, claims: parsed.data });
  return parsed.data;
}

interface Proven {
  readonly kid: string;
  readonly claims: Readonly<Record<string, unknown>>;
}
/** Signatures found good, by SHA-256 of the token; whether the key is still in use is asked each time. */
const perRing = new WeakMap<object, Map<string, Proven>>();
const mostRemembered = 10_000;

async function provenClaims(ports: TokenPorts, text: string): Promise<{ ok: true; claims: Readonly<Record<string, unknown>> } | { ok: false; why: string }> {
  const ring = ports.keys.token;
  const known = perRing.get(ring) ?? new Map<string, Proven>();
  perRing.set(ring, known);
  const hash = sha256Hex(text);
  const remembered = known.get(hash);
  const kid = remembered?.kid ?? kidOf(text);
  const key = ring.find((one) => one.id === kid && (one.retiresAt === null || one.retiresAt > ports.clock()));
  if (!key) return { ok: false, why: 'no key in use signed it' };
  if (remembered) return { ok: true, claims: remembered.claims };
  const jwt = readJwt(text);
  const problem = jwt ? headerProblem(jwt, { algorithms, types: [type], onlyListed: true }) : 'not a JWT';
  if (!jwt || problem) return { ok: false, why: problem ?? 'not a JWT' };
  try {
    await compactVerify(text, key.publicKey, { algorithms });
  } catch {
    return { ok: false, why: 'its signature does not verify' };
  }
  if (known.size >= mostRemembered) known.delete(known.keys().next().value ?? '');
  known.set(hash, { kid: key.id, claims: jwt.claims });
  return { ok: true, claims: jwt.claims };
}

function kidOf(text: string): unknown {
  return readJwt(text)?.header['kid'];
}
