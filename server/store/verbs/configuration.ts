import type { ChangeRow, ConfigurationAnswer, ConfigurationChange, StoredDocument, TenantConfiguration } from '../store.ts';
import { all, enter, one, run, signal, Undo, type Verb } from '../verb.ts';
import { requestChange, takeApproval } from './changes.ts';
import { notify, replaceChannels } from './notifications.ts';
import { appendRecord } from './records.ts';

/** A tenant never applied has revision 0. */
export function* readRevision(tenant: string): Verb<number | null> {
  const found = yield* one<{ revision: number }>('SELECT revision FROM tenants WHERE tenant = ?', tenant);
  return found?.revision ?? null;
}

export function* listTenants(): Verb<{ tenant: string; revision: number }[]> {
  return yield* all('SELECT tenant, revision FROM tenants ORDER BY tenant');
}

export function* readPlatform(): Verb<StoredDocument | null> {
  const found = yield* one<{ document: string }>('SELECT document FROM platform WHERE id = 1');
  return found ? (JSON.parse(found.document) as StoredDocument) : null;
}

export function* readConfiguration(tenant: string): Verb<TenantConfiguration | null> {
  const found = yield* one<{ revision: number; configuration: string }>('SELECT revision, configuration FROM tenants WHERE tenant = ?', tenant);
  return found ? { ...(JSON.parse(found.configuration) as Omit<TenantConfiguration, 'revision'>), revision: found.revision } : null;
}

/** All or nothing: one tenant that moved on since the change was planned takes everything back. */
export function* applyConfiguration(change: ConfigurationChange): Verb<ConfigurationAnswer> {
  const { approval } = change;
  if (approval) {
    yield* enter(approval.tenant);
    if (!(yield* takeApproval(approval))) return { applied: false, moved: approval.tenant, why: 'not_pending' };
  }
  if (change.platform) {
    yield* run(
      'INSERT INTO platform (id, document) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
      JSON.stringify(change.platform),
    );
  }
  for (const record of change.platformRecords ?? []) yield* appendRecord(null, record);
  const revisions: Record<string, number> = {};
  for (const { expectedRevision, next, records, events } of change.tenants) {
    yield* enter(next.tenant);
    if (((yield* readRevision(next.tenant)) ?? 0) !== expectedRevision) throw new Undo(refused(next.tenant, 'revision'));
    const revision = expectedRevision + 1;
    yield* run(
      `INSERT INTO tenants (tenant, revision, configuration) VALUES (?, ?, ?)
       ON CONFLICT (tenant) DO UPDATE SET revision = excluded.revision, configuration = excluded.configuration`,
      next.tenant,
      revision,
      JSON.stringify(next),
    );
    yield* replaceChannels(next.tenant, next.documents);
    yield* signal('configuration', next.tenant, String(revision));
    for (const record of records) yield* appendRecord(next.tenant, record);
    for (const event of events ?? []) yield* notify(next.tenant, event);
    revisions[next.tenant] = revision;
  }
  const waiting: ChangeRow[] = [];
  for (const request of change.requests ?? []) {
    yield* enter(request.tenant);
    const answer = yield* requestChange(request);
    if ('refused' in answer) throw new Undo(refused(request.tenant, answer.refused === 'stale' ? 'revision' : 'too_many'));
    waiting.push(answer.change);
  }
  return { applied: true, revisions, waiting };
}

const refused = (moved: string, why: 'revision' | 'too_many'): ConfigurationAnswer => ({ applied: false, moved, why });
