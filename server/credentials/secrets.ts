import type { RecordBody } from '../audit/record.ts';
import type { Ports } from '../ports.ts';
import type { SecretKey } from './keys.ts';
import { seal, sealedUnder, unseal } from './seal.ts';

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
  return { value: open(ports, stored.sealed, context(tenant, name)), version: stored.version };
}

/** What was opened last, by the key it was sealed under and its place. Read on every call, and opening it costs more than to read it. */
const opened = new WeakMap<SecretKey, Map<string, { readonly sealed: Uint8Array; readonly value: string }>>();

function open({ keys, clock }: Pick<Ports, 'keys' | 'clock'>, sealed: Uint8Array, place: string): string {
  const now = clock();
  const key = sealedUnder(keys.escrow, sealed, now);
  const known = opened.get(key) ?? new Map();
  opened.set(key, known);
  const before = known.get(place);
  if (before && Buffer.compare(before.sealed, sealed) === 0) return before.value;
  const value = unseal(keys.escrow, sealed, place, now).toString('utf8');
  known.set(place, { sealed, value });
  return value;
}
