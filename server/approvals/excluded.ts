import type { TenantDocument } from '../documents/kinds.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { SessionRow } from '../store/store.ts';

/** `<issuer>#<subject>`; no issuer has a `#` in it. */
const subjectOf = (person: string): string => person.slice(person.indexOf('#') + 1);

/** The same subject at another of the tenant's issuers counts as the same human, which at worst excludes one person too many. */
export const sameHuman = (a: string, b: string): boolean => a === b || subjectOf(a) === subjectOf(b);

/** Every account of these persons that the document knows, theirs included. */
function accountsOf(document: Pick<TenantDocument, 'people'>, persons: readonly string[]): string[] {
  const known = Object.values(document.people).map(({ subject }) => subject);
  return [...new Set([...persons, ...known.filter((subject) => persons.some((person) => sameHuman(person, subject)))])].sort();
}

/**
 * Who cannot give an approval in this session: nobody in its chain. The sponsor; the requester when it is a person (an
 * agent's owner who asked included); in an autonomous session, where no sponsor looked at the task, the owner of the use
 * case that defines it. With every other account the tenant document knows of the same persons. `ancestors` are the
 * sessions it draws on.
 */
export function excludedFrom(snapshot: Pick<TenantSnapshot, 'document' | 'useCases'>, session: SessionRow, ancestors: readonly SessionRow[] = []): string[] {
  const persons = [session, ...ancestors].flatMap((one) => {
    const owner = one.mode === 'autonomous' ? snapshot.useCases.get(one.useCase)?.document.owner : undefined;
    return [one.sponsor, one.requester, ...personNamed(snapshot.document, owner)];
  });
  return accountsOf(snapshot.document, persons.filter(isPerson));
}

/** A requester may be an agent (`spiffe://…`) or `orchestrator:<name>`; persons carry a `#`. */
const isPerson = (id: string): boolean => id.includes('#');

function personNamed(document: TenantDocument, name: string | undefined): string[] {
  const person = name !== undefined && Object.hasOwn(document.people, name) ? document.people[name] : undefined;
  return person ? [person.subject] : [];
}
