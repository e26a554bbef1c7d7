import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SecretKey } from './keys.ts';

const version = 1;
const ivBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM under the newest key of the ring (NIST SP 800-38D; a random 96-bit IV). `context` is authenticated, not
 * stored: bytes sealed for one place open nowhere else. Layout: version, key id length, key id, IV, tag, ciphertext.
 */
export function seal(ring: readonly SecretKey[], plain: Uint8Array | string, context: string): Uint8Array {
  const key = ring[0];
  if (!key) throw new Error('no key to seal with');
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, iv);
  cipher.setAAD(Buffer.from(context, 'utf8'));
  const body = Buffer.concat([cipher.update(typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain), cipher.final()]);
  const id = Buffer.from(key.id, 'utf8');
  return Buffer.concat([Buffer.from([version, id.length]), id, iv, cipher.getAuthTag(), body]);
}

/** The key they were sealed under. Throws when it is retired or unknown, or they are no sealed value. */
export function sealedUnder(ring: readonly SecretKey[], sealed: Uint8Array, now: number): SecretKey {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes[0] !== version || bytes.length < headOf(bytes)) throw new Error('not a sealed value');
  const id = bytes.toString('utf8', 2, 2 + idLengthOf(bytes));
  const key = ring.find((one) => one.id === id && (one.retiresAt === null || one.retiresAt > now));
  if (!key) throw new Error('sealed under a key that is not in use');
  return key;
}

/** Throws when the bytes were changed, sealed for another context, or their key is retired or unknown. */
export function unseal(ring: readonly SecretKey[], sealed: Uint8Array, context: string, now = Date.now()): Buffer {
  const key = sealedUnder(ring, sealed, now);
  const bytes = Buffer.from(sealed);
  const head = headOf(bytes);
  const tag = head - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(tag - ivBytes, tag), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(bytes.subarray(tag, head));
  return Buffer.concat([decipher.update(bytes.subarray(head)), decipher.final()]);
}

const idLengthOf = (bytes: Uint8Array): number => bytes[1] ?? 0;
const headOf = (bytes: Uint8Array): number => 2 + idLengthOf(bytes) + ivBytes + tagBytes;
