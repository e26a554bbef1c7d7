import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import { z } from 'zod';
import type { Keys, SecretKey, SigningKey } from './keys.ts';

const entry = { id: z.string().min(1).max(64), created_at: z.int(), retires_at: z.int().nullable() };
const secretRing = z.array(z.strictObject({ ...entry, bytes: z.base64url() })).min(1);
const signingRing = z
  .array(z.strictObject({ ...entry, jwk: z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() }) }))
  .min(1);

/**
 * Reads the broker's key rings from `dir`, one file a purpose, making what is missing (mode 0600 in a 0700 folder).
 * A ring may hold several keys: the first signs or seals, the others still verify or open until they retire.
 */
export async function openKeys(dir: string, clock: () => number): Promise<Keys> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const [token, state, hmac, escrow, anchor] = await Promise.all([
    openSigningRing(join(dir, 'token.json'), clock),
    openSecretRing(join(dir, 'state.json'), clock),
    openSecretRing(join(dir, 'hmac.json'), clock),
    openSecretRing(join(dir, 'escrow.json'), clock),
    openSecretRing(join(dir, 'anchor.json'), clock),
  ]);
  return { token, state, hmac, escrow, anchor };
}

async function openSecretRing(file: string, clock: () => number): Promise<SecretKey[]> {
  const stored = await readOrMake(file, async () => [
    { id: randomBytes(6).toString('base64url'), created_at: clock(), retires_at: null, bytes: randomBytes(32).toString('base64url') },
  ]);
  return parsed(secretRing, stored, file).map((key) => {
    const bytes = Buffer.from(key.bytes, 'base64url');
    if (bytes.length !== 32) throw new Error(`${file}: key ${key.id} is not 32 bytes`);
    return { id: key.id, createdAt: key.created_at, retiresAt: key.retires_at, bytes };
  });
}

async function openSigningRing(file: string, clock: () => number): Promise<SigningKey[]> {
  const stored = await readOrMake(file, async () => {
    const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const { kty, crv, x, d } = await exportJWK(privateKey);
    return [
      {
        id: await calculateJwkThumbprint({ kty, crv, x } as Parameters<typeof calculateJwkThumbprint>[0]),
        created_at: clock(),
        retires_at: null,
        jwk: { kty, crv, x, d },
      },
    ];
  });
  return Promise.all(
    parsed(signingRing, stored, file).map(async (key): Promise<SigningKey> => {
      const { kty, crv, x, d } = key.jwk;
      const publicJwk = { kty, crv, x, kid: key.id, alg: 'EdDSA', use: 'sig' };
      const [privateKey, publicKey] = await Promise.all([importJWK({ kty, crv, x, d }, 'EdDSA'), importJWK({ kty, crv, x }, 'EdDSA')]);
      if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array) throw new Error(`${file}: key ${key.id} is not an Ed25519 key`);
      return { id: key.id, createdAt: key.created_at, retiresAt: key.retires_at, privateKey, publicKey, publicJwk };
    }),
  );
}

const damaged = (file: string, why: string): Error =>
  new Error(`The key ring ${file} is damaged: ${why}. Put it back from a backup; without it nothing that was sealed or signed under it can be read.`);

/** Never quotes what stands in the file. */
function parsed<T>(ring: z.ZodType<T>, stored: unknown, file: string): T {
  const read = ring.safeParse(stored);
  if (!read.success) throw damaged(file, `${read.error.issues[0]?.path.join('.') || 'the whole'} is not what a key ring holds`);
  return read.data;
}

async function readOrMake(file: string, make: () => Promise<unknown>): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(file, 'it is not JSON');
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const made = await make();
  // Written whole and linked, so that a crash leaves no half a key, and of brokers that start at once all take the first one's.
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    await chmod(draft, 0o600);
    await link(draft, file);
    return made;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return readOrMake(file, make);
  } finally {
    await rm(draft, { force: true });
  }
}
