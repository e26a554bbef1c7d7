import { compactVerify, createLocalJWKSet, errors, type JWK } from 'jose';
import { BadJson, parseJsonStrict } from '../../tools/index.ts';

const maxLength = 16_384;
const caps = { bytes: maxLength, depth: 16 };
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export type Claims = Readonly<Record<string, unknown>>;

/** A JWT as it came, nothing proven: good only for choosing what to verify it with. */
export interface UnprovenJwt {
  readonly text: string;
  readonly header: Claims;
  readonly claims: Claims;
}

/** Null for anything but a compact JWS of two JSON objects without duplicate keys, at most 16 KiB, in the one spelling its bytes have. */
export function readJwt(text: string): UnprovenJwt | null {
  if (text.length > maxLength || !compact.test(text)) return null;
  const [head = '', body = '', signature = ''] = text.split('.');
  if (![head, body, signature].every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)) return null;
  const header = readObject(Buffer.from(head, 'base64url'));
  const claims = readObject(Buffer.from(body, 'base64url'));
  return header && claims ? { text, header, claims } : null;
}

/** What was signed, header and claims: unlike the whole token it has one spelling (an ECDSA signature has two). */
export const signedText = (jwt: UnprovenJwt): string => jwt.text.slice(0, jwt.text.lastIndexOf('.'));

function readObject(bytes: Uint8Array): Claims | null {
  try {
    const value = parseJsonStrict(bytes, caps);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : null;
  } catch (error) {
    if (error instanceof BadJson) return null;
    throw error;
  }
}

export interface HeaderRules {
  readonly algorithms: readonly string[];
  /** Values of `typ` that pass, lower case, without `application/`; `undefined` lets it be absent. */
  readonly types: readonly (string | undefined)[];
  /** Refuse every parameter but `alg`, `typ` and `kid` (JWT-SVID §2). */
  readonly onlyListed?: boolean;
}

/** What is wrong with a header, for the record; null when nothing is. `crit` and `b64` are never understood here. */
export function headerProblem({ header }: UnprovenJwt, rules: HeaderRules): string | null {
  const { alg, typ, kid } = header as { alg?: unknown; typ?: unknown; kid?: unknown };
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) return 'alg not allowed';
  if (typ !== undefined && typeof typ !== 'string') return 'typ not allowed';
  if (!rules.types.includes(typ?.toLowerCase().replace(/^application\//, ''))) return 'typ not allowed';
  if (kid !== undefined && typeof kid !== 'string') return 'kid is not text';
  if ('crit' in header || 'b64' in header) return 'critical header parameters are not understood';
  if (rules.onlyListed && Object.keys(header).some((name) => name !== 'alg' && name !== 'typ' && name !== 'kid'))
    return 'header parameters beyond alg, typ, kid';
  return null;
}

/** The claims, proven by one key of this set and of no other; null when none fits. */
export async function proveClaims(jwt: UnprovenJwt, keys: readonly JWK[], algorithms: readonly string[]): Promise<Claims | null> {
  const payload = await provePayload(jwt.text, keys, algorithms);
  return payload && readObject(payload);
}

/** The signed bytes of a compact JWS, when one key of the set verifies them under one of the algorithms; else null. */
export async function provePayload(jws: string, keys: readonly JWK[], algorithms: readonly string[]): Promise<Uint8Array | null> {
  const options = { algorithms: [...algorithms] };
  try {
    return (await compactVerify(jws, createLocalJWKSet({ keys: [...keys] }), options)).payload;
  } catch (error) {
    // Without `kid` several keys of the one set may fit: each is tried.
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return null;
    for await (const key of error) {
      const payload = await compactVerify(jws, key, options).then(
        (verified) => verified.payload,
        () => null,
      );
      if (payload) return payload;
    }
    return null;
  }
}

export interface TimeRules {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Furthest `exp` ahead, seconds: nothing in JOSE bounds it. */
  readonly longest: number;
  /** Oldest `iat`, seconds; `iat` is then required. */
  readonly oldest?: number;
}

/** Clocks of issuers run ahead by up to this many seconds; an end is an end. */
const skew = 30;

/** What is wrong with `exp`, `nbf` and `iat`, for the record; null when nothing is. */
export function timeProblem(claims: Claims, { now, longest, oldest }: TimeRules): string | null {
  const { exp, nbf, iat } = claims as { exp?: unknown; nbf?: unknown; iat?: unknown };
  const seconds = now / 1000;
  if (typeof exp !== 'number') return 'no exp';
  if (exp <= seconds) return 'expired';
  if (exp - seconds > longest) return 'exp too far ahead';
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > seconds + skew)) return 'not valid yet';
  if (iat !== undefined && (typeof iat !== 'number' || iat > seconds + skew)) return 'issued in the future';
  if (oldest !== undefined && (typeof iat !== 'number' || seconds - iat > oldest)) return 'issued too long ago';
  return null;
}

/** The earliest moment (epoch milliseconds) at which a token that passed `timeProblem` with `longest` can have been used. */
export function issuedAt({ iat, exp }: Claims, longest: number): number {
  return Math.floor((typeof iat === 'number' ? iat : Number(exp) - longest) * 1000);
}

/** The audiences of a token, always a list; null when they are not text. */
export function audiencesOf(claims: Claims): readonly string[] | null {
  const { aud } = claims as { aud?: unknown };
  const list = Array.isArray(aud) ? (aud as unknown[]) : [aud];
  return list.every((one): one is string => typeof one === 'string') ? list : null;
}

/** True when the token is for this one audience and no other (RFC 7523 §3; JWT-SVID §3). */
export function isOnlyFor(claims: Claims, audience: string): boolean {
  const audiences = audiencesOf(claims);
  return audiences?.length === 1 && audiences[0] === audience;
}
