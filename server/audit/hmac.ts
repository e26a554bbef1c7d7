import { hash } from 'node:crypto';
import { canonicalForm, NotCanonical } from '../../tools/index.ts';
import type { SecretKey } from '../credentials/keys.ts';

/**
 * `<key id>:<hex HMAC-SHA-256>` of a JSON value's canonical form, under the newest key: two records tell that a value was the same
 * without telling what it was.
 */
export function hmacOf(ring: readonly SecretKey[], value: unknown): string {
  const [key] = ring;
  if (!key) throw new Error('there is no key for HMACs of values');
  return `${key.id}:${hmacSha256(padsOf(key), formOf(value))}`;
}

const blockBytes = 64;
const digestBytes = 32;

/** A key as each of the two hashes begins with it (RFC 2104, section 2). */
interface Pads {
  readonly inner: Uint8Array;
  /** Room for the inner digest behind it. */
  readonly outer: Buffer;
}
const pads = new WeakMap<SecretKey, Pads>();

/** Made once a key. */
function padsOf(key: SecretKey): Pads {
  const known = pads.get(key);
  if (known) return known;
  const block = Buffer.alloc(blockBytes);
  block.set(key.bytes.length > blockBytes ? hash('sha256', key.bytes, 'buffer') : key.bytes);
  const made = { inner: block.map((byte) => byte ^ 0x36), outer: Buffer.concat([block.map((byte) => byte ^ 0x5c), Buffer.alloc(digestBytes)]) };
  pads.set(key, made);
  return made;
}

/** Where the message is put behind the inner pad, unless it needs more room. */
const desk = Buffer.alloc(4_096);

/** HMAC-SHA-256, hex, by two hashes that are one call each: an `Hmac` object costs more than both, and as much again to collect. */
function hmacSha256({ inner, outer }: Pads, text: string): string {
  const most = blockBytes + 3 * text.length;
  const message = most <= desk.length ? desk : Buffer.alloc(most);
  message.set(inner);
  const end = blockBytes + message.write(text, blockBytes);
  outer.write(hash('sha256', message.subarray(0, end), 'binary'), blockBytes, 'binary');
  return hash('sha256', outer);
}

/** What an upstream answered may have no canonical form (a lone surrogate, 2^60); it must still leave its trace. */
function formOf(value: unknown): string {
  try {
    return canonicalForm(value);
  } catch (error) {
    if (error instanceof NotCanonical) return `not-canonical:${JSON.stringify(value) ?? 'undefined'}`;
    throw error;
  }
}
