import type { ChangeItem, ChangeRow } from '../store/store.ts';
import { compareFields, fieldRules } from './effects.ts';
import type { TenantDocument } from './kinds.ts';

type People = TenantDocument['people'];
export type Touched = Pick<ChangeRow, 'touches' | 'adds'>;

/** What decisions may come to rest on once these items are in force, and whom they add to what. A kind nobody thought of here touches everything. */
export function touchedBy(items: readonly ChangeItem[], before: TenantDocument | null, after: TenantDocument | null): Touched {
  const adds = membersAdded(before?.people ?? {}, after?.people ?? {});
  const touches = items.flatMap(({ kind, name }) => {
    switch (kind) {
      case 'Tenant':
        return [...Object.values(adds).flat(), ...(onlyPeopleDiffer(before, after) ? [] : ['everything'])];
      case 'Policy':
        return ['policy'];
      case 'Upstream':
        return [`upstream:${name}`];
      case 'Agent':
        return [`agent:${name}`];
      case 'UseCase':
        return [`use-case:${name}`];
      case 'Credential':
        return [`credential:${name}`];
      // No approval rests on where people are told; break-glass does.
      case 'Channel':
        return [`channel:${name}`];
      default:
        return ['everything'];
    }
  });
  return { touches: [...new Set(touches)].sort(), adds };
}

function onlyPeopleDiffer(before: TenantDocument | null, after: TenantDocument | null): boolean {
  const rest = (document: TenantDocument | null): Record<string, unknown> => ({ ...document, people: {} });
  return compareFields(fieldRules.Tenant, rest(before), rest(after)).length === 0;
}

/** By account: the groups and roles it has after and had not before, under whatever name the document calls it. */
function membersAdded(before: People, after: People): Record<string, string[]> {
  const had = memberships(before);
  const added = [...memberships(after)].map(([subject, now]) => [subject, [...now].filter((one) => !had.get(subject)?.has(one)).sort()] as const);
  return Object.fromEntries(added.filter(([, more]) => more.length > 0));
}

function memberships(people: People): Map<string, Set<string>> {
  const all = new Map<string, Set<string>>();
  for (const { subject, groups, roles } of Object.values(people)) {
    const own = all.get(subject) ?? new Set();
    for (const group of groups) own.add(`group:${group}`);
    for (const role of roles) own.add(`role:${role}`);
    all.set(subject, own);
  }
  return all;
}
