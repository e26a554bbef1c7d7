import type { NextConfiguration, NextTenant } from '../merge.ts';
import { type DocumentProblem, problemAt } from '../problems.ts';
import { checkAgents, checkIdentities } from './agents.ts';
import { checkChannels } from './channels.ts';
import { checkPeople } from './people.ts';
import { checkPlatform } from './platform.ts';
import { checkUpstreams } from './upstreams.ts';
import { checkUseCases } from './use-cases.ts';

/** Checks documents against each other, without I/O. `checked` are the tenants whose problems are told; `now` in epoch milliseconds. */
export function crossCheck(next: NextConfiguration, checked: readonly NextTenant[], now: number): DocumentProblem[] {
  return [...checkPlatform(next), ...checked.flatMap((tenant) => checkTenant(next, tenant, now)), ...checkIdentities(next, checked)];
}

function checkTenant(next: NextConfiguration, tenant: NextTenant, now: number): DocumentProblem[] {
  const place = tenant.documents[0] ?? { source: tenant.policies[0]?.source ?? '' };
  const trust = next.platform !== null && Object.hasOwn(next.platform.tenants, tenant.tenant) ? next.platform.tenants[tenant.tenant]?.trust : undefined;
  if (!trust)
    return [problemAt(place, ['tenant'], `There is no tenant ${tenant.tenant} here`, 'Have the operator name it under `tenants` of the Platform document')];
  const document = tenant.documents.find(({ kind }) => kind === 'Tenant');
  if (document?.body.kind !== 'Tenant') {
    return [problemAt(place, [], `Tenant ${tenant.tenant} has no Tenant document`, `Add one: kind: Tenant, name: ${tenant.tenant}`)];
  }
  return [
    ...checkPeople(document, document.body, trust),
    ...checkAgents(tenant, document.body, trust),
    ...checkUpstreams(tenant, document.body, next.platform),
    ...checkUseCases(tenant, document.body, now),
    ...checkChannels(tenant),
  ];
}
