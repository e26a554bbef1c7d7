import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { vetKey } from '../vet-keys.ts';

const privateKey = z.looseObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string(), d: z.string(), kid: z.string() });
export type LocalKey = z.infer<typeof privateKey>;

const folder = (config: Pick<Config, 'data'>, tenant: string): string => join(config.data, 'local', tenant);

/** Null when the provider has no such key. */
export async function readLocalKey(config: Pick<Config, 'data'>, tenant: string, file: 'issuer' | 'people' | `agents/${string}`): Promise<LocalKey | null> {
  const value = await readJson(join(folder(config, tenant), `${file}.json`));
  return value === null ? null : privateKey.parse(value);
}

export async function readTrustDomainKey(config: Pick<Config, 'data'>, tenant: string): Promise<LocalKey | null> {
  const value = await readJson(join(folder(config, tenant), 'trust-domain.json'));
  return value === null ? null : (z.object({ keys: z.array(privateKey).min(1) }).parse(value).keys[0] ?? null);
}

/** The half that verifies. */
export function publicHalf({ kty, crv, x, y, kid }: LocalKey): JWK {
  const key = vetKey({ kty, crv, x, y, kid });
  if (!key) throw new Error('a local key is damaged');
  return key;
}

export async function signWith(key: LocalKey, typ: string, claims: JWTPayload): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid: key.kid }).sign(await importJWK(key as JWK, 'ES256'));
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  return JSON.parse(text);
}
