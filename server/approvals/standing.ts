import type { TenantSnapshot } from '../documents/snapshot.ts';
import { groupsOf, type Person, type Role, rolesOf } from '../identity/index.ts';

/** What a person may do in their tenant at one revision of its document. Read when used, never kept. */
export interface Standing {
  /** `<issuer>#<subject>`. */
  readonly person: string;
  /** Their name in the tenant document; null when it does not name them: no role, no group. */
  readonly name: string | null;
  readonly roles: ReadonlySet<Role>;
  readonly groups: ReadonlySet<string>;
}

export function standingOf(snapshot: Pick<TenantSnapshot, 'tenant' | 'document'>, person: Person): Standing {
  return { person: person.id, name: person.name, roles: new Set(rolesOf(snapshot, person)), groups: new Set(groupsOf(snapshot, person)) };
}
