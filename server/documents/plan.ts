import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import type { RecordBody } from '../audit/record.ts';
import type { ExpandedUseCase, PolicyText, SessionGrant, StoredDocument } from '../store/store.ts';
import { type ChangeEffect, compareFields, type Difference, fieldRules, same, sumOf } from './effects.ts';
import { compareGrants } from './grant-differences.ts';
import type { NextConfiguration, NextTenant } from './merge.ts';
import type { PinChange } from './pin-upstreams.ts';
import { compareCases, comparePolicies } from './policy-differences.ts';
import type { Located } from './problems.ts';

export interface PlanItem {
  /** `platform` for the operator's own document. */
  readonly tenant: string;
  /** A document's kind, or `Policy`. */
  readonly kind: string;
  readonly name: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly effect: ChangeEffect;
  /** One line each, what widens or narrows marked. */
  readonly differences: readonly string[];
  /** SHA-256 of what is now there, or of what was removed, hex. */
  readonly sha256: string;
}

export interface Plan {
  readonly items: readonly PlanItem[];
  /** Tenants that this apply founds: one admin, no waiting. */
  readonly founding: readonly string[];
  /** Tenants of one person, exempt from the second admin. */
  readonly personal: readonly string[];
  readonly warnings: readonly string[];
}

export interface NextParts {
  readonly pinChanges: readonly PinChange[];
  readonly expanded: ReadonlyMap<string, readonly ExpandedUseCase[]>;
}

/** Everything that would be different, in a stable order. */
export function planItems(next: NextConfiguration, parts: NextParts): PlanItem[] {
  const platform = next.platformDocument ? documentItem('platform', next.storedPlatform, next.platformDocument, []) : null;
  return [...(platform ? [platform] : []), ...next.tenants.flatMap((tenant) => tenantItems(tenant, parts))];
}

function tenantItems(tenant: NextTenant, parts: NextParts): PlanItem[] {
  const before = new Map((tenant.stored?.documents ?? []).map((document) => [`${document.kind}/${document.name}`, document]));
  const items: PlanItem[] = [];
  for (const document of tenant.documents) {
    const key = `${document.kind}/${document.name}`;
    const item = documentItem(tenant.tenant, before.get(key) ?? null, document, derived(tenant, document, parts));
    before.delete(key);
    if (item) items.push(item);
  }
  for (const gone of before.values()) {
    items.push({ tenant: tenant.tenant, kind: gone.kind, name: gone.name, change: 'removed', effect: 'narrows', differences: [], sha256: digest(gone.body) });
  }
  const place = (item: PlanItem): string => `${order.indexOf(item.kind)} ${item.name}`;
  return [...items.sort((a, b) => (place(a) < place(b) ? -1 : 1)), ...policyItems(tenant)];
}

const order = ['Tenant', 'Agent', 'UseCase', 'Upstream', 'Credential', 'Channel'];

/** What changes about a document by way of others: what its globs reach, what its tools are. */
function derived(tenant: NextTenant, document: Located, { pinChanges, expanded }: NextParts): Difference[] {
  if (document.kind === 'Upstream') {
    return pinChanges
      .filter((one) => one.tenant === tenant.tenant && one.upstream === document.name)
      .flatMap(({ tool, change, digest: hash, differences }) => [
        {
          text: `${tool}: definition ${change === 'added' ? 'pinned' : change} (sha256 ${hash.slice(0, 12)})`,
          effect: change === 'removed' ? ('narrows' as const) : ('widens' as const),
        },
        ...differences.map((text) => ({ text: `${tool}: ${text}`, effect: 'neutral' as const })),
      ]);
  }
  if (document.kind !== 'UseCase') return [];
  const grantsOf = (all: readonly ExpandedUseCase[] | undefined): readonly SessionGrant[] => all?.find(({ name }) => name === document.name)?.grants ?? [];
  return compareGrants(grantsOf(tenant.stored?.useCases), grantsOf(expanded.get(tenant.tenant)));
}

function documentItem(tenant: string, before: Pick<StoredDocument, 'body'> | null, after: Located, more: readonly Difference[]): PlanItem | null {
  const item = { tenant, kind: after.kind, name: after.name, sha256: digest(after.body) };
  if (!before) return { ...item, change: 'added', effect: 'widens', differences: more.map(({ text }) => text) };
  if (same(before.body, after.body) && more.length === 0) return null;
  const differences = [...compareFields(fieldRules[after.kind], { ...before.body }, { ...after.body }), ...more];
  const told = differences.length > 0 ? differences : [{ text: 'written differently, to the same effect', effect: 'neutral' as const }];
  return { ...item, change: 'changed', effect: sumOf(told), differences: told.map(marked) };
}

function policyItems(tenant: NextTenant): PlanItem[] {
  const before = new Map((tenant.stored?.policies ?? []).map((policy) => [policy.file, policy]));
  const after = new Map<string, PolicyText>(tenant.policies.map((policy) => [policy.file, policy]));
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((file): PlanItem[] => {
    const [was, is] = [before.get(file), after.get(file)];
    if (was?.text === is?.text && was?.cases === is?.cases) return [];
    // The cases of a file that goes go with its policies, and say nothing more than they.
    const guards = was && is ? compareCases(was.cases, is.cases) : [];
    const differences: Difference[] = [...(was?.text === is?.text ? [] : comparePolicies(was?.text ?? '', is?.text ?? '')), ...guards];
    const change = was ? (is ? 'changed' : 'removed') : 'added';
    const { text, cases } = is ?? was ?? { text: '', cases: null };
    return [
      {
        tenant: tenant.tenant,
        kind: 'Policy',
        name: file,
        change,
        effect: sumOf(differences),
        differences: differences.map(marked),
        sha256: digest({ text, cases }),
      },
    ];
  });
}

const marked = ({ text, effect }: Difference): string => (effect === 'neutral' ? text : `${text} (${effect})`);
const digest = (value: unknown): string => sha256Hex(canonicalForm(value));

/** What the record of an apply says: every item, and every definition that was pinned or dropped. */
export function recordedChanges(tenant: string, items: readonly PlanItem[], pinChanges: readonly PinChange[]): NonNullable<RecordBody['changes']> {
  return [
    ...items.map(({ change, kind, name, effect, sha256 }) => ({ change, kind, name, effect, sha256 })),
    ...pinChanges
      .filter((one) => one.tenant === tenant)
      .map(({ change, upstream, tool, digest: sha256 }) => ({
        change,
        kind: 'Pin',
        name: `${upstream}/${tool}`,
        effect: change === 'removed' ? ('narrows' as const) : ('widens' as const),
        sha256,
      })),
  ];
}
