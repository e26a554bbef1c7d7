import { rank } from '../../policies/index.ts';
import { operationsOf } from '../../tools/index.ts';
import { endOfDay } from './durations.ts';
import type { PlatformDocument } from './kinds.ts';
import type { NextTenant } from './merge.ts';

/** What is allowed but probably not meant; told with the plan. */
export function warningsFor(tenant: NextTenant, platform: PlatformDocument | null, now: number): string[] {
  const { agents, useCases, tenant: document } = tenant.byKind;
  const warnings: string[] = [];
  const warn = (what: string): void => void warnings.push(`${tenant.tenant}: ${what}`);
  for (const one of [...agents.values(), ...useCases.values()]) {
    if (endOfDay(one.expires) <= now) warn(`${one.kind} ${one.name} expired on ${one.expires}`);
    else if (endOfDay(one.review_by) <= now) warn(`${one.kind} ${one.name} was to be reviewed by ${one.review_by}`);
  }
  const workflows = new Set([...useCases.values()].map(({ workflow }) => workflow));
  for (const agent of agents.values()) {
    if (!workflows.has(agent.workflow)) warn(`Agent ${agent.name} does ${agent.workflow}, for which there is no use case yet`);
  }
  const groups = new Set(Object.values(document?.people ?? {}).flatMap((person) => person.groups));
  const trust = platform !== null && Object.hasOwn(platform.tenants, tenant.tenant) ? (platform.tenants[tenant.tenant]?.trust ?? []) : [];
  const fromClaims = trust.some((root) => 'groups_claim' in root && root.groups_claim !== undefined);
  for (const useCase of useCases.values()) {
    for (const group of useCase.sponsors?.groups ?? []) {
      if (!fromClaims && !groups.has(group)) warn(`UseCase ${useCase.name}: nobody is in the group ${group}, so nobody may sponsor by it`);
    }
    const cleared = [...agents.values()].filter(({ workflow }) => workflow === useCase.workflow);
    if (cleared.length > 0 && cleared.every(({ clearance }) => rank(clearance) < rank(useCase.ceiling))) {
      warn(`UseCase ${useCase.name}: its ceiling ${useCase.ceiling} is above the clearance of every agent that may run it`);
    }
  }
  const glass = document?.break_glass?.group;
  if (glass !== undefined) {
    const members = Object.values(document?.people ?? {}).filter((person) => person.groups.includes(glass));
    if (members.length < 2) warn(`break_glass takes two people, and the group ${glass} has ${members.length}`);
    if (tenant.byKind.channels.size === 0) warn('break_glass is not activated without a Channel on which people are told');
  }
  const release = document?.release_approval;
  if (release !== undefined && !fromClaims && !groups.has(release)) warn(`nobody is in the group ${release} that release_approval names`);
  const admins = Object.values(document?.people ?? {}).filter(({ roles }) => roles.includes('admin'));
  if (document?.approvals?.passkey_for !== undefined && !document.personal && admins.length < 2)
    warn('passkey_for asks for signed votes, and with fewer than two admins there is nobody to confirm the passkey of every reviewer');
  for (const twice of sharedAddresses(tenant)) warn(twice);
  for (const field of notActedOn(tenant)) warn(`${field}: kept, not acted on yet`);
  return warnings;
}

/** An address that two upstreams have is one that nobody can tell apart: neither is listed, and neither is read. */
function sharedAddresses({ byKind }: NextTenant): string[] {
  const homes = new Map<string, string[]>();
  for (const upstream of byKind.upstreams.values()) {
    for (const { kind, key } of operationsOf(upstream)) {
      if (kind === 'resource' || kind === 'template') homes.set(key, [...(homes.get(key) ?? []), upstream.name]);
    }
  }
  return [...homes].flatMap(([key, names]) => (names.length > 1 ? [`${key} is registered of ${names.join(' and ')}, so it is read of neither`] : []));
}

/** What a document may say before Taskgate does it: told at each apply that says it, so that nobody relies on it. */
function notActedOn({ byKind }: NextTenant): string[] {
  const origins = [...byKind.useCases.values()].filter(({ grants }) => grants.some((grant) => 'origins' in grant && Object.keys(grant.origins).length > 0));
  const keyed = [...byKind.upstreams.values()].flatMap(({ name, tools }) =>
    tools.filter(({ idempotency }) => idempotency.startsWith('argument:')).map((tool) => `Upstream ${name}: ${tool.name}: idempotency by argument`),
  );
  const release = byKind.tenant?.release_approval === undefined ? [] : ['release_approval'];
  return [...origins.map(({ name }) => `UseCase ${name}: origins of arguments`), ...keyed, ...release];
}
