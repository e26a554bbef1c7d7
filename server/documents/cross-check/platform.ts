import type { NextConfiguration } from '../merge.ts';
import { type DocumentProblem, problemAt } from '../problems.ts';

/** A trust root speaks for one tenant: found under two, a workload of one could be believed as the other's. */
export function checkPlatform({ platform, platformDocument: document, tenants }: NextConfiguration): DocumentProblem[] {
  if (!platform || !document) return [];
  const problems: DocumentProblem[] = [];
  const holder = new Map<string, string>();
  if (Object.hasOwn(platform.tenants, 'platform')) {
    problems.push(
      problemAt(document, ['tenants', 'platform'], 'A tenant cannot be named platform', "Rename it; that prefix is kept for the platform's own rules"),
    );
  }
  for (const [tenant, { trust }] of Object.entries(platform.tenants)) {
    trust.forEach((root, index) => {
      // `local` is a provider of its own for every tenant; one issuer may vouch for people and for workloads.
      const name = 'spiffe' in root ? `spiffe://${root.spiffe}` : root.oidc === 'local' ? `local/${tenant}/${root.for}` : `${root.oidc}`;
      const other = holder.get(name);
      if (other !== undefined && (other !== tenant || 'spiffe' in root)) {
        problems.push(
          problemAt(
            document,
            ['tenants', tenant, 'trust', index],
            'A trust root that is bound already',
            'Bind each trust domain and issuer to one tenant, once',
          ),
        );
      }
      holder.set(name, tenant);
      if ('oidc' in root && root.for === 'people' && root.audience === undefined && root.oidc !== 'local') {
        problems.push(
          problemAt(
            document,
            ['tenants', tenant, 'trust', index],
            'People of an issuer without `audience`',
            "Name the audience that ID tokens for Taskgate carry; else a token for another of the issuer's clients would do",
          ),
        );
      }
    });
  }
  for (const [name, command] of Object.entries(platform.commands)) {
    for (const [index, tenant] of (command.tenants ?? []).entries()) {
      if (!Object.hasOwn(platform.tenants, tenant)) {
        problems.push(problemAt(document, ['commands', name, 'tenants', index], 'A tenant that is not there', 'Name a tenant of this document'));
      }
    }
  }
  for (const { tenant, stored } of tenants) {
    if (stored && !Object.hasOwn(platform.tenants, tenant)) {
      problems.push(
        problemAt(
          document,
          ['tenants'],
          `Tenant ${tenant} has documents but no trust root any more`,
          'Keep its entry; a tenant is not removed by leaving it out',
        ),
      );
    }
  }
  return problems;
}
