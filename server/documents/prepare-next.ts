import { vetDigest } from '../../policies/index.ts';
import { type BrokeredTool, makeCatalogue } from '../../tools/index.ts';
import type { ExpandedUseCase } from '../store/store.ts';
import { checkPolicies } from './check-policies.ts';
import { crossCheck } from './cross-check/index.ts';
import { expandGrants } from './expand-grants.ts';
import { isPersonal, type NextConfiguration, type NextTenant, platformChanges } from './merge.ts';
import { observationWarnings } from './observed-use-cases.ts';
import { type Pinned, type PinPorts, pinUpstreams } from './pin-upstreams.ts';
import { type Plan, planItems } from './plan.ts';
import { policySource } from './policy-source.ts';
import { type DocumentProblem, problemAt } from './problems.ts';

import { warningsFor } from './warnings.ts';

/** A next configuration that holds, with all that was worked out on the way. */
export interface Prepared {
  readonly next: NextConfiguration;
  readonly pinned: Pinned;
  readonly expanded: ReadonlyMap<string, readonly ExpandedUseCase[]>;
  /** By tenant, what `vetDigest` says of the law that was checked. */
  readonly vetted: ReadonlyMap<string, string>;
  readonly plan: Plan;
}

/** Takes a next configuration through every check, cheapest first; an upstream is only asked for documents that fit together. */
export async function prepareNext(ports: PinPorts, next: NextConfiguration): Promise<Prepared | { problems: readonly DocumentProblem[] }> {
  const concerned = next.tenants.filter(({ touched }) => touched || platformChanges(next));
  const now = ports.clock();
  const wrong = crossCheck(next, concerned, now);
  if (wrong.length > 0) return { problems: wrong };

  const pinned = await pinUpstreams(ports, { ...next, tenants: concerned });
  if (pinned.problems.length > 0) return { problems: pinned.problems };

  const expanded = new Map<string, readonly ExpandedUseCase[]>(next.tenants.map(({ tenant, stored }) => [tenant, stored?.useCases ?? []]));
  const problems: DocumentProblem[] = [];
  const catalogues = new Map<string, readonly BrokeredTool[]>();
  for (const tenant of concerned) {
    const made = catalogueOf(tenant, pinned);
    const grants = made.problems.length > 0 ? { useCases: [], problems: [] } : expandAll(tenant, made.tools);
    problems.push(...made.problems, ...grants.problems);
    expanded.set(tenant.tenant, grants.useCases);
    catalogues.set(tenant.tenant, made.tools);
  }
  if (problems.length > 0) return { problems };

  const items = planItems(next, { pinChanges: pinned.changes, expanded });
  const changed = concerned.filter(({ tenant }) => items.some((item) => item.tenant === tenant) || pinned.changes.some((pin) => pin.tenant === tenant));
  const vetted = new Map<string, string>();
  const checks: Promise<readonly DocumentProblem[]>[] = [];
  for (const tenant of changed) {
    const { useCases, agents } = tenant.byKind;
    const source = policySource(tenant.tenant, tenant.policies, catalogues.get(tenant.tenant) ?? [], useCases.values(), agents.values());
    const digest = vetDigest(source);
    vetted.set(tenant.tenant, digest);
    if (tenant.stored?.vetted !== digest) checks.push(checkPolicies(tenant, source, digest));
  }
  problems.push(...(await Promise.all(checks)).flat());
  if (problems.length > 0) return { problems };

  const plan: Plan = {
    items,
    founding: [...(next.storedPlatform === null ? ['platform'] : []), ...changed.flatMap(({ tenant, stored }) => (stored === null ? [tenant] : []))],
    personal: concerned.flatMap((tenant) => (isPersonal(tenant) ? [tenant.tenant] : [])),
    warnings: [
      ...concerned.flatMap((tenant) => [
        ...observationWarnings(tenant.byKind.useCases.values(), expanded.get(tenant.tenant) ?? [], catalogues.get(tenant.tenant) ?? [], now),
        ...warningsFor(tenant, next.platform, now),
      ]),
      ...pinned.warnings,
    ],
  };
  return { next, pinned, expanded, vetted, plan };
}

function catalogueOf(tenant: NextTenant, pinned: Pinned): { tools: readonly BrokeredTool[]; problems: readonly DocumentProblem[] } {
  const tools: BrokeredTool[] = [];
  const problems: DocumentProblem[] = [];
  for (const document of tenant.documents) {
    if (document.body.kind !== 'Upstream') continue;
    const upstream = document.body;
    const made = makeCatalogue(
      upstream,
      (pinned.pins.get(tenant.tenant) ?? []).filter((pin) => pin.upstream === upstream.name),
    );
    tools.push(...made.tools);
    for (const { manifest, cause, remedy } of made.problems)
      problems.push(problemAt(document, manifest.place, `${upstream.name}: ${manifest.name}: ${cause}`, remedy));
  }
  return { tools, problems };
}

function expandAll(tenant: NextTenant, tools: readonly BrokeredTool[]): { useCases: readonly ExpandedUseCase[]; problems: readonly DocumentProblem[] } {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const all = tenant.documents.flatMap((document) => (document.body.kind === 'UseCase' ? [expandGrants(document, document.body, byName)] : []));
  return { useCases: all.map(({ expanded }) => expanded), problems: all.flatMap(({ problems }) => problems) };
}
