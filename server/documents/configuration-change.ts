import { canonicalForm } from '../../tools/index.ts';
import type { RecordBody } from '../audit/record.ts';
import type { ConfigurationChange, StoredDocument } from '../store/store.ts';
import { commandFor } from './configuration.ts';
import { stillHeld } from './drift.ts';
import { same } from './effects.ts';
import type { PlatformDocument } from './kinds.ts';
import { isPersonal, type NextTenant, platformChanges } from './merge.ts';
import { recordedChanges } from './plan.ts';
import type { Prepared } from './prepare-next.ts';
import type { Located } from './problems.ts';

/** The one transaction that makes a prepared configuration the current one, with a record in each tenant it concerns. */
export function changeOf({ next, pinned, expanded, vetted, plan }: Prepared, by: string, at: number, more: Partial<RecordBody> = {}): ConfigurationChange {
  const platformMoves = platformChanges(next);
  const platformItems = plan.items.filter(({ kind }) => kind === 'Platform');
  const tenants = next.tenants.flatMap((tenant): ConfigurationChange['tenants'][number][] => {
    const own = plan.items.filter((item) => item.tenant === tenant.tenant && item.kind !== 'Platform');
    // The operator's document is part of what a tenant is judged under: its revision moves with it.
    const seen = platformMoves && !same(viewOf(next.storedPlatform, tenant), viewOf(next.platformDocument, tenant)) ? platformItems : [];
    const changes = recordedChanges(tenant.tenant, [...own, ...seen], pinned.changes);
    if (changes.length === 0) return [];
    const pins = pinned.pins.get(tenant.tenant) ?? tenant.stored?.pins ?? [];
    const offered = pinned.offered.get(tenant.tenant) ?? tenant.stored?.offered ?? {};
    const record: RecordBody = {
      type: 'configuration.applied',
      at,
      tenant: tenant.tenant,
      actor: by,
      changes,
      ...(tenant.stored === null ? { founding: true } : {}),
      ...(isPersonal(tenant) ? { personal: true } : {}),
      ...more,
    };
    return [
      {
        expectedRevision: tenant.stored?.revision ?? 0,
        next: {
          tenant: tenant.tenant,
          documents: tenant.documents.map(plain),
          policies: tenant.policies.map(({ file, text, cases }) => ({ file, text, cases })),
          pins,
          useCases: expanded.get(tenant.tenant) ?? [],
          quarantine: stillHeld(tenant.stored?.quarantine ?? [], { pins, offered }, (upstream, tool) => isAccepted(tenant, upstream, tool)),
          offered,
          vetted: vetted.get(tenant.tenant) ?? tenant.stored?.vetted ?? null,
        },
        records: [record],
      },
    ];
  });
  const platformRecord: RecordBody = { type: 'configuration.applied', at, actor: by, changes: recordedChanges('', platformItems, []), ...more };
  return {
    platform: platformMoves && next.platformDocument ? plain(next.platformDocument) : null,
    tenants,
    platformRecords: platformMoves ? [platformRecord] : [],
  };
}

const plain = ({ kind, name, body, source }: Located): StoredDocument => ({ kind, name, body, source });

const isAccepted = ({ accepting }: NextTenant, upstream: string, tool: string): boolean => accepting?.upstream === upstream && accepting.tools.has(tool);

/** What a tenant has of the operator's document. */
function viewOf(document: StoredDocument | null, tenant: NextTenant): string {
  const platform: PlatformDocument | null = document?.body.kind === 'Platform' ? document.body : null;
  const own = platform !== null && Object.hasOwn(platform.tenants, tenant.tenant) ? platform.tenants[tenant.tenant] : undefined;
  const commands = [...tenant.byKind.upstreams.values()].map((upstream) => [upstream.name, commandFor(platform, tenant.tenant, upstream)]);
  return canonicalForm({ trust: own?.trust ?? null, notifications: own?.notifications ?? null, client_documents: own?.client_documents ?? null, commands });
}
