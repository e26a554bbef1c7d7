import type { RecordBody } from '../../audit/record.ts';
import type { ChangeApproval } from '../store.ts';
import { all, one, run, type Verb } from '../verb.ts';
import { takeApproval } from './changes.ts';
import { appendRecord } from './records.ts';

export function* putSecret(tenant: string, name: string, sealed: Uint8Array, at: number, record: RecordBody, approval?: ChangeApproval): Verb<boolean> {
  if (approval && !(yield* takeApproval(approval))) return false;
  yield* run(
    `INSERT INTO secrets (tenant, name, sealed, version, updated_at) VALUES (?, ?, ?, 1, ?)
     ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, version = secrets.version + 1, updated_at = excluded.updated_at`,
    tenant,
    name,
    sealed,
    at,
  );
  yield* appendRecord(tenant, record);
  return true;
}

export function* readSecret(tenant: string, name: string): Verb<{ sealed: Uint8Array; version: number } | null> {
  const found = yield* one<{ sealed: Uint8Array; version: number }>('SELECT sealed, version FROM secrets WHERE tenant = ? AND name = ?', tenant, name);
  return found ?? null;
}

export function* listSecrets(tenant: string): Verb<{ name: string; version: number; updatedAt: number }[]> {
  const found = yield* all<{ name: string; version: number; updated_at: number }>(
    'SELECT name, version, updated_at FROM secrets WHERE tenant = ? ORDER BY name',
    tenant,
  );
  return found.map(({ name, version, updated_at: updatedAt }) => ({ name, version, updatedAt }));
}
