import { randomBytes } from 'node:crypto';
import { sha256Hex } from '../../tools/index.ts';

/** What a browser holds of a login or a link: the tenant, so that it is looked for nowhere else, and 256 random bits. */
export const newConsoleSecret = (tenant: string): string => `${tenant}.${randomBytes(32).toString('base64url')}`;

/** How it is stored and found: with that many random bits a plain hash is enough. Null for what is no such secret. */
export function hashConsoleSecret(secret: string): { readonly tenant: string; readonly hash: string } | null {
  const tenant = /^([a-z0-9-]{1,64})\.[A-Za-z0-9_-]{43}$/.exec(secret)?.[1];
  return tenant === undefined ? null : { tenant, hash: sha256Hex(secret) };
}
