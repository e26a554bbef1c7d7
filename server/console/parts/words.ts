import { type Origin, parseRequirement } from '../../../policies/index.ts';
import type { Proposal } from '../../approvals/index.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import { extensionTool, extensionWords } from '../../extensions/index.ts';

/** Facts in words people use. */

export const effectWords = {
  read: 'Reads; changes nothing',
  write: 'Changes something',
  destructive: 'Cannot be undone',
} as const;
export const reachWords = {
  tenant: 'What is sent stays inside the tenant',
  external: 'What is sent leaves the tenant',
} as const;
export const principalWords = {
  shared: 'one shared account; the other side cannot tell who is behind it',
  agent: 'the agent itself',
  sponsor: 'the sponsor',
} as const;
export const sensitivityWords = {
  public: 'public data only',
  internal: 'internal data',
  confidential: 'confidential data',
  restricted: 'restricted data, the most sensitive there is',
} as const;
const integrityWords = {
  trusted: 'all of it from trusted sources',
  tenant: 'written inside the tenant',
  external: 'some of it written by outsiders: the agent may be repeating what a stranger wrote',
} as const;
export const originWords = {
  objective: 'the objective or inputs, which the sponsor or the orchestrator vouches for',
  trusted: 'a trusted source that this task read',
  external: 'content from outside that this task read',
  unknown: 'nowhere that was seen: the agent may have chosen it',
} as const satisfies Record<Origin, string>;
export const statusWords = {
  pending: 'Waits for a decision',
  approved: 'Approved; has not run yet',
  denied: 'Denied',
  expired: 'Expired: nobody decided in time, which denies',
  cancelled: 'Cancelled',
  superseded: 'Superseded: what would run has changed, so it is asked again',
  revoked: 'Taken back',
  used: 'Approved and run',
} as const;
/** How the agent's host had waited, once the call ran. */
export const rungWords = {
  task: 'waited for as a task',
  rounds: 'waited for in rounds',
  hold: 'waited for in one request',
  handle: 'came back by itself',
} as const;
export const changeWords = {
  pending: 'Waiting for a second admin',
  applied: 'In force',
  rejected: 'Rejected',
  withdrawn: 'Withdrawn',
  expired: 'Expired: nobody approved in time',
  superseded: 'Superseded',
} as const;
export const outcomeWords = { completed: 'completed', failed: 'failed', unknown: 'outcome unknown', dispatched: 'running' } as const;

/** What a task has read so far, as a sentence goes on after "has read". */
export function labelWords({ sensitivity, categories, integrity }: Proposal['label']): string {
  if (sensitivity === 'public' && categories.length === 0 && integrity === 'trusted') return 'nothing yet';
  return `${sensitivityWords[sensitivity]}${categories.length > 0 ? ` (${categories.join(', ')})` : ''}, ${integrityWords[integrity]}`;
}

/** `approval:finance:2` as people say it. */
export function requirementWords(literal: string): string {
  const requirement = parseRequirement(literal);
  if (requirement?.kind === 'approval') {
    const people = requirement.count === 1 ? 'one reviewer' : `${requirement.count} different reviewers`;
    return `${people} of ${requirement.group}${requirement.passkey ? ', with a passkey' : ''}`;
  }
  if (requirement?.kind === 'confirm') return `the sponsor’s own confirmation${requirement.passkey ? ', with a passkey' : ''}`;
  return literal;
}

/** The registered words for what a tool does; without them its name, or the address that is read, which promise nothing. */
export function toolWords(snapshot: Pick<TenantSnapshot, 'tools'>, name: string): string {
  if (name === extensionTool) return extensionWords;
  const tool = snapshot.tools.get(name);
  if (tool?.manifest.says !== undefined) return tool.manifest.says;
  return tool?.kind === 'resource' || tool?.kind === 'template' ? `Reads ${tool.address}` : `Calls ${name}`;
}

/** A person by the name the tenant's document has for them, else as they are known. */
export function nameOf(snapshot: Pick<TenantSnapshot, 'document'>, person: string): string {
  return Object.entries(snapshot.document.people).find(([, { subject }]) => subject === person)?.[0] ?? person;
}
