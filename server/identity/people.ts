import type { TenantDocument } from '../documents/kinds.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Person } from './caller.ts';

type Documented = Pick<TenantSnapshot, 'tenant' | 'document'>;
export type Role = TenantDocument['people'][string]['roles'][number];

export const personId = (issuer: string, subject: string): string => `${issuer}#${subject}`;

/** The person behind (issuer, subject), with the name the tenant's document has for them. Two names for one subject are none. */
export function personOf(snapshot: Documented, issuer: string, subject: string): Person {
  const id = personId(issuer, subject);
  const names = Object.entries(snapshot.document.people).flatMap(([name, entry]) => (entry.subject === id ? [name] : []));
  return { tenant: snapshot.tenant, id, name: names.length === 1 ? (names[0] ?? null) : null };
}

/** Who logged in before as `<issuer>#<subject>`, by the tenant's trust as it is now; null when it trusts that issuer no more. */
export function personNow(snapshot: Documented & Pick<TenantSnapshot, 'trust'>, id: string): Person | null {
  const cut = id.indexOf('#');
  const [issuer, subject] = [id.slice(0, cut), id.slice(cut + 1)];
  if (cut < 1 || !snapshot.trust.some((root) => 'oidc' in root && root.for === 'people' && root.oidc === issuer)) return null;
  return personOf(snapshot, issuer, subject);
}

/** Their roles at this revision; none for whom the document does not name. Read when used, never kept. */
export const rolesOf = (snapshot: Documented, person: Person): readonly Role[] => entryOf(snapshot, person)?.roles ?? [];

/** Their groups at this revision, by the document alone. */
export const groupsOf = (snapshot: Documented, person: Person): readonly string[] => entryOf(snapshot, person)?.groups ?? [];

function entryOf(snapshot: Documented, person: Person): TenantDocument['people'][string] | null {
  if (person.name === null || person.tenant !== snapshot.tenant || !Object.hasOwn(snapshot.document.people, person.name)) return null;
  const entry = snapshot.document.people[person.name];
  return entry?.subject === person.id ? entry : null;
}
