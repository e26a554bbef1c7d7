import { didYouMean } from '../../../policies/index.ts';
import type { TenantDocument, TrustRoot } from '../kinds.ts';
import { type DocumentProblem, type Located, problemAt } from '../problems.ts';

/** People are counted by (issuer, subject): two names for one person would let one person vote twice in the reader's eyes. */
export function checkPeople(document: Located, tenant: TenantDocument, trust: readonly TrustRoot[]): DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  const issuers = new Set(trust.flatMap((root) => ('oidc' in root && root.for === 'people' ? [root.oidc] : [])));
  const names = new Map<string, string>();
  for (const [name, person] of Object.entries(tenant.people)) {
    const twin = names.get(person.subject);
    if (twin !== undefined) problems.push(problemAt(document, ['people', name, 'subject'], `The same person as ${twin}`, 'Give each person one entry'));
    names.set(person.subject, name);
    if (!issuers.has(person.subject.slice(0, person.subject.indexOf('#')))) {
      const known = [...issuers].join(', ') || 'none yet';
      problems.push(
        problemAt(
          document,
          ['people', name, 'subject'],
          "An issuer that is not one of the tenant's for people",
          `Write <issuer>#<subject> with an issuer the operator bound: ${known}`,
        ),
      );
    }
  }
  const count = Object.keys(tenant.people).length;
  if (tenant.personal && count !== 1) {
    problems.push(problemAt(document, ['personal'], `A personal tenant with ${count} people`, 'Name exactly one person, or take `personal` out'));
  }
  return problems;
}

/** The problem when `name` is not one of the tenant's people, as a list to spread. */
export function personProblem(document: Located, field: string, name: string, tenant: TenantDocument): DocumentProblem[] {
  if (Object.hasOwn(tenant.people, name)) return [];
  const known = Object.keys(tenant.people);
  return [
    problemAt(
      document,
      [field],
      `${name} is not one of the tenant's people`,
      `Name one of ${known.join(', ') || 'the people in the Tenant document'}.${didYouMean(name, known)}`,
    ),
  ];
}
