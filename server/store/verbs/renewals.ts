import type { RecordBody } from '../../audit/record.ts';
import { one, run, signal, type Verb } from '../verb.ts';
import { appendRecord } from './records.ts';

/** A session has another token, good until then: told to whoever keeps a stream open for it. */
export function* noteRenewal(tenant: string, session: string, until: number, record: RecordBody): Verb<void> {
  yield* run(
    `INSERT INTO renewals (tenant, session, token_until) VALUES (?, ?, ?)
     ON CONFLICT (tenant, session) DO UPDATE SET token_until = excluded.token_until WHERE renewals.token_until < excluded.token_until`,
    tenant,
    session,
    until,
  );
  yield* signal('session', tenant, session);
  yield* appendRecord(tenant, record);
}

export function* renewedUntil(tenant: string, session: string): Verb<number | null> {
  const found = yield* one<{ token_until: number }>('SELECT token_until FROM renewals WHERE tenant = ? AND session = ?', tenant, session);
  return found?.token_until ?? null;
}
