import { randomBytes } from 'node:crypto';
import { access, chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { AgentDocument, TrustRoot } from '../../documents/kinds.ts';
import { trustDomainOf } from '../spiffe.ts';

/** What the `local` provider keeps for one tenant. */
export interface LocalTenant {
  readonly tenant: string;
  /** Agents that get a workload key here. */
  readonly agents: readonly string[];
}

/** What of a tenant is `local`; null when none of its trust roots is. Its agents are those in the local trust domain. */
export function localTenant(parts: { tenant: string; trust: readonly TrustRoot[]; agents: Iterable<AgentDocument> }): LocalTenant | null {
  const domains = parts.trust.flatMap((root) => ('spiffe' in root && root.bundle === 'local' ? [root.spiffe] : []));
  if (domains.length === 0 && !parts.trust.some((root) => 'oidc' in root && root.oidc === 'local')) return null;
  const agents = [...parts.agents].filter(({ identity }) => typeof identity === 'string' && domains.includes(trustDomainOf(identity)));
  return { tenant: parts.tenant, agents: agents.map(({ name }) => name) };
}

/**
 * Makes what is missing of each tenant's keys below `<data>/local/<tenant>`: folders 0700, files 0600. What is there
 * stays. The trust domain and the issuer sign with ES256, which SPIFFE and OpenID Connect both know.
 */
export async function ensureLocal(data: string, tenants: readonly LocalTenant[]): Promise<void> {
  for (const { tenant, agents } of tenants) {
    const dir = join(data, 'local', tenant);
    await privateFolder(join(data, 'local'));
    await privateFolder(dir);
    await privateFolder(join(dir, 'agents'));
    await ensureTrustDomain(dir);
    for (const file of ['issuer', 'people', ...agents.map((name) => `agents/${name}`)]) await ensureFile(join(dir, `${file}.json`), makeKey);
  }
}

/** Both files of the trust domain come from one key: the bundle is made last and again whenever it is missing. */
async function ensureTrustDomain(dir: string): Promise<void> {
  const keys = join(dir, 'trust-domain.json');
  const bundle = join(dir, 'bundle.json');
  if ((await exists(keys)) && (await exists(bundle))) return;
  const key = await makeKey();
  const { d: _, alg: __, ...half } = key;
  await writePrivate(keys, { keys: [key] });
  await writePrivate(bundle, { keys: [{ ...half, use: 'jwt-svid' }], spiffe_sequence: 1, spiffe_refresh_hint: 300 });
}

async function makeKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, alg: 'ES256', kid: await calculateJwkThumbprint(jwk) };
}

async function privateFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
}

async function ensureFile(file: string, make: () => Promise<unknown>): Promise<void> {
  if (!(await exists(file))) await writePrivate(file, await make());
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** Written whole and renamed: a crash leaves no half a key. */
async function writePrivate(file: string, value: unknown): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(draft, file);
}
