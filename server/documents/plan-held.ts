import type { PlannedChange } from '../changes/digest.ts';
import { type HeldDocuments, layHeld } from './held.ts';
import type { StoredState } from './merge.ts';
import type { PinPorts } from './pin-upstreams.ts';
import { recordedChanges } from './plan.ts';
import { type Prepared, prepareNext } from './prepare-next.ts';
import type { DocumentProblem } from './problems.ts';
import { touchedBy } from './touches.ts';

/** What the held documents of a tenant would change now, checked whole. */
export async function planHeld(
  ports: PinPorts,
  stored: StoredState,
  tenant: string,
  held: HeldDocuments,
): Promise<{ readonly prepared: Prepared; readonly planned: PlannedChange } | { readonly problems: readonly DocumentProblem[] }> {
  const prepared = await prepareNext(ports, layHeld(stored, tenant, held));
  return 'problems' in prepared ? prepared : { prepared, planned: plannedOf(prepared, tenant) };
}

/** What taking definitions as they are now would change, each by the digest that was looked at. */
export async function planAccepted(
  ports: PinPorts,
  stored: StoredState,
  tenant: string,
  { upstream, tools }: { readonly upstream: string; readonly tools: readonly { readonly tool: string; readonly digest: string }[] },
): Promise<{ readonly prepared: Prepared; readonly planned: PlannedChange } | { readonly problems: readonly DocumentProblem[] }> {
  const next = layHeld(stored, tenant, { documents: [], policies: [], removed: [], removed_policies: [] });
  const accepting = { upstream, tools: new Map(tools.map(({ tool, digest }) => [tool, digest])) };
  const prepared = await prepareNext(ports, { ...next, tenants: next.tenants.map((one) => (one.tenant === tenant ? { ...one, accepting } : one)) });
  return 'problems' in prepared ? prepared : { prepared, planned: plannedOf(prepared, tenant) };
}

/** The part of a prepared configuration that is one tenant's, the operator's document with it when that changes. */
export function plannedOf({ next, pinned, plan }: Prepared, tenant: string): PlannedChange {
  const own = next.tenants.find((one) => one.tenant === tenant);
  const items = plan.items.filter((item) => item.tenant === tenant || item.kind === 'Platform');
  const before = own?.stored?.documents.find(({ kind }) => kind === 'Tenant')?.body;
  return {
    revision: own?.stored?.revision ?? 0,
    items,
    recorded: recordedChanges(tenant, items, pinned.changes),
    ...touchedBy(items, before?.kind === 'Tenant' ? before : null, own?.byKind.tenant ?? null),
  };
}
