import type { RecordBody } from '../audit/record.ts';
import type { Ports } from '../ports.ts';
import { seal, unseal } from './seal.ts';

const context = (tenant: string, name: string): string => `secret/${tenant}/${name}`;

/** The value of a `Credential` document as the store keeps it. */
export const sealSecret = (ports: Pick<Ports, 'keys'>, tenant: string, name: string, value: string): Uint8Array =>
  seal(ports.keys.escrow, value, context(tenant, name));

/** Stores the value of a `Credential` document, sealed; the record names the credential, who set it and why nobody else was asked, never the value. */
export async function setSecret(
  ports: Pick<Ports, 'store' | 'keys' | 'clock'>,
  tenant: string,
  name: string,
  value: string,
  by: string,
  exempt: Pick<RecordBody, 'founding' | 'personal'>,
): Promise<void> {
  const at = ports.clock();
  await ports.store.putSecret(tenant, name, sealSecret(ports, tenant, name, value), at, {
    type: 'credential.set',
    at,
    tenant,
    actor: by,
    detail: name,
    ...exempt,
  });
}

/** Null when none was set. Throws when it cannot be opened; callers refuse. */
export async function readSecretValue(
  ports: Pick<Ports, 'store' | 'keys' | 'clock'>,
  tenant: string,
  name: string,
): Promise<{ value: string; version: number } | null> {
  const stored = await ports.store.readSecret(tenant, name);
  if (!stored) return null;
  return { value: unseal(ports.keys.escrow, stored.sealed, context(tenant, name), ports.clock()).toString('utf8'), version: stored.version };
}
