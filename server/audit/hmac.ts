import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { canonicalForm, NotCanonical } from '../../tools/index.ts';
import type { SecretKey } from '../credentials/keys.ts';

/**
 * `<key id>:<hex HMAC-SHA-256>` of a JSON value's canonical form, under the newest key: two records tell that a value was the same
 * without telling what it was.
 */
export function hmacOf(ring: readonly SecretKey[], value: unknown): string {
  const [key] = ring;
  if (!key) throw new Error('there is no key for HMACs of values');
  return `${key.id}:${createHmac('sha256', keyObjectOf(key)).update(formOf(value)).digest('hex')}`;
}

const keyObjects = new WeakMap<SecretKey, KeyObject>();

/** Made once a key: it costs more than the HMAC of a short value. */
function keyObjectOf(key: SecretKey): KeyObject {
  const made = keyObjects.get(key) ?? createSecretKey(key.bytes);
  keyObjects.set(key, made);
  return made;
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
