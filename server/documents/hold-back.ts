import type { PlannedChange } from '../changes/digest.ts';
import type { ConfigurationChange, StoredDocument } from '../store/store.ts';
import { changeOf } from './configuration-change.ts';
import type { HeldDocuments } from './held.ts';
import { documentKey, isPersonal, type NextConfiguration, type NextTenant, nextTenant, type StoredState } from './merge.ts';
import type { PinPorts } from './pin-upstreams.ts';
import type { Plan, PlanItem } from './plan.ts';
import { planHeld, plannedOf } from './plan-held.ts';
import { type Prepared, prepareNext } from './prepare-next.ts';
import type { DocumentProblem, Located } from './problems.ts';

/** At the broker's start whoever holds the machine applies; everywhere else a person of a tenant does. */
export type AppliedBy = { readonly at: 'start' } | { readonly at: 'door'; readonly tenant: string };

/** What waits in one tenant for a second admin. */
export interface Held {
  readonly tenant: string;
  readonly needs: 'admin' | 'operator';
  readonly documents: HeldDocuments;
  readonly planned: PlannedChange;
}
export interface Split {
  /** What takes effect at once; null when nothing does. */
  readonly now: Prepared | null;
  readonly waits: readonly PlanItem[];
  readonly held: readonly Held[];
}

/**
 * Takes what widens out of an apply. What narrows takes effect at once, when it holds without the rest; where it does not, everything
 * of that tenant waits together. Rejects nothing of the operator's at the start, nor of a tenant that is founded or of one person.
 */
export async function holdBack(
  ports: PinPorts,
  stored: StoredState,
  whole: Prepared,
  applier: AppliedBy,
): Promise<Split | { readonly problems: readonly DocumentProblem[] }> {
  const widening = whole.plan.items.filter((item) => mustWait(item, whole.next, applier));
  if (widening.length === 0) return { now: whole, waits: [], held: [] };
  const homes = new Set(widening.map((item) => homeOf(item, applier)));
  const together = whole.plan.items.filter((item) => homes.has(homeOf(item, applier)) && (item.kind !== 'Platform' || applier.at === 'door'));
  const problems: DocumentProblem[] = [];
  for (const waits of [widening, together]) {
    const now = waits.length === whole.plan.items.length ? null : await prepareNext(ports, without(whole.next, waits));
    if (now && 'problems' in now) problems.splice(0, problems.length, ...now.problems);
    else if (!now?.plan.items.some((item) => mustWait(item, now.next, applier))) return settle(ports, stored, whole, now, waits, applier);
  }
  const cause = 'Some of this widens and waits for a second admin, and what is in force does not hold with the rest of it';
  return {
    problems: [...problems, { file: '', line: null, path: '', cause, remedy: 'Keep what it rests on until the change is approved, then take it away' }],
  };
}

function mustWait(item: PlanItem, next: NextConfiguration, applier: AppliedBy): boolean {
  if (item.effect !== 'widens') return false;
  if (item.kind === 'Platform') return applier.at === 'door' && next.storedPlatform !== null;
  const tenant = next.tenants.find((one) => one.tenant === item.tenant);
  return tenant === undefined || (tenant.stored !== null && !isPersonal(tenant));
}

/** In which tenant an item waits: the operator's document in that of the operator who changes it. */
const homeOf = ({ kind, tenant }: PlanItem, applier: AppliedBy): string => (kind === 'Platform' && applier.at === 'door' ? applier.tenant : tenant);

async function settle(
  ports: PinPorts,
  stored: StoredState,
  whole: Prepared,
  now: Prepared | null,
  waits: readonly PlanItem[],
  applier: AppliedBy,
): Promise<Split | { readonly problems: readonly DocumentProblem[] }> {
  const after = now ? stateAfter(stored, changeOf(now, '', 0)) : stored;
  const held: Held[] = [];
  for (const tenant of new Set(waits.map((item) => homeOf(item, applier)))) {
    const own = waits.filter((item) => homeOf(item, applier) === tenant);
    const documents = heldOf(whole.next, own);
    const planned = now ? await planHeld(ports, after, tenant, documents) : { planned: plannedOf(whole, tenant) };
    if ('problems' in planned) return planned;
    held.push({ tenant, needs: own.some(({ kind }) => kind === 'Platform') ? 'operator' : 'admin', documents, planned: planned.planned });
  }
  return { now, waits, held };
}

type Key = Pick<PlanItem, 'tenant' | 'kind' | 'name'>;
const keyOf = ({ tenant, kind, name }: Key): string => JSON.stringify([tenant, kind, name]);

/** The next configuration with these items as they are in the store. */
function without(next: NextConfiguration, items: readonly PlanItem[]): NextConfiguration {
  const held = new Set(items.map(keyOf));
  const platformWaits = items.some(({ kind }) => kind === 'Platform');
  const platformDocument = platformWaits ? next.storedPlatform : next.platformDocument;
  const platform = platformDocument?.body.kind === 'Platform' ? platformDocument.body : null;
  return { ...next, platformDocument, platform, tenants: next.tenants.map((tenant) => restored(tenant, held)) };
}

function restored(tenant: NextTenant, held: ReadonlySet<string>): NextTenant {
  const waits = (kind: string, name: string): boolean => held.has(keyOf({ tenant: tenant.tenant, kind, name }));
  const before = new Map((tenant.stored?.documents ?? []).map((document) => [documentKey(document), document]));
  const after = new Map(tenant.documents.map((document) => [documentKey(document), document]));
  const documents = new Map<string, Located>();
  for (const [key, document] of [...before, ...after]) {
    const kept = waits(document.kind, document.name) ? before.get(key) : after.get(key);
    if (kept) documents.set(key, kept);
  }
  const had = new Map((tenant.stored?.policies ?? []).map((policy) => [policy.file, { ...policy, source: policy.file }]));
  const wanted = new Map(tenant.policies.map((policy) => [policy.file, policy]));
  const policies = new Map<string, NextTenant['policies'][number]>();
  for (const file of [...had.keys(), ...wanted.keys()]) {
    const kept = waits('Policy', file) ? had.get(file) : wanted.get(file);
    if (kept) policies.set(file, kept);
  }
  const upstreams = [...before.values()].filter(({ kind, name }) => kind === 'Upstream' && waits(kind, name)).map(({ name }) => name);
  return nextTenant(tenant.tenant, tenant.stored, tenant.touched, documents, policies, new Set(upstreams));
}

function heldOf(next: NextConfiguration, items: readonly PlanItem[]): HeldDocuments {
  const held = new Set(items.map(keyOf));
  const tenants = next.tenants.filter(({ tenant }) => items.some((item) => item.tenant === tenant));
  const documents = tenants.flatMap(({ tenant, documents: all }) => all.filter(({ kind, name }) => held.has(keyOf({ tenant, kind, name }))));
  const policies = tenants.flatMap(({ tenant, policies: all }) => all.filter(({ file }) => held.has(keyOf({ tenant, kind: 'Policy', name: file }))));
  const platform = items.some(({ kind }) => kind === 'Platform') && next.platformDocument ? [next.platformDocument] : [];
  const gone = items.filter(({ change }) => change === 'removed');
  return {
    documents: [...platform, ...documents].map(({ kind, name, body, source }): StoredDocument => ({ kind, name, body, source })),
    policies: policies.map(({ file, text, cases }) => ({ file, text, cases })),
    removed: gone.flatMap(({ kind, name }) => (kind === 'Policy' ? [] : [{ kind: kind as StoredDocument['kind'], name }])),
    removed_policies: gone.flatMap(({ kind, name }) => (kind === 'Policy' ? [name] : [])),
  };
}

/** The store as it will be once the change is made. */
function stateAfter(stored: StoredState, change: ConfigurationChange): StoredState {
  const made = new Map(change.tenants.map(({ expectedRevision, next }) => [next.tenant, { ...next, revision: expectedRevision + 1 }]));
  const known = stored.tenants.map((one) => made.get(one.tenant) ?? one);
  const founded = [...made.values()].filter(({ tenant }) => !stored.tenants.some((one) => one.tenant === tenant));
  return { platform: change.platform ?? stored.platform, tenants: [...known, ...founded] };
}

/** The part of a plan that takes effect at once. */
export const takesEffect = ({ items }: Plan, waits: readonly PlanItem[]): boolean => items.length > waits.length;
