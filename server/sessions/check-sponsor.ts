import type { AttestedBy } from '../../policies/index.ts';
import { type Refusal, refuse } from '../call/refusals.ts';
import type { AgentDocument, UseCaseDocument } from '../documents/kinds.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { agentIdentity, type Login } from '../identity/index.ts';
import type { SessionRow } from '../store/store.ts';
import { sponsorStanding, type Template } from './check-standing.ts';
import { equalInputs, readInputs } from './read-inputs.ts';
import { type TaskAsked, taskAsked } from './task-details.ts';

export interface Answerable {
  readonly mode: SessionRow['mode'];
  /** `<issuer>#<subject>`. */
  readonly sponsor: string;
  readonly sponsorGroups: readonly string[];
}

/** What a sponsor agreed to at Taskgate's own page, logged in there: which agent, they were shown and pressed for. */
export interface Consent {
  readonly person: string;
  readonly claimedGroups: readonly string[];
}

const no = (message: string, detail: string | null = null): Refusal => refuse('session.refused', message, { detail });

/** The one person who answers for the task: the sponsor who logged in for this agent, or the use case's accountable person, or the parent's. */
export function findAnswerable(
  snapshot: TenantSnapshot,
  { agent, useCase }: Template,
  login: Login | null,
  parent: SessionRow | null,
  consent: Consent | null,
): Answerable | Refusal {
  if (parent) {
    if (login && login.person.id !== parent.sponsor) return no('A child task has the sponsor of its parent.');
    if (!sponsorStanding(snapshot, useCase, parent.sponsor, parent.sponsorGroups).stands) return no('Whoever answers for the parent task may not any more.');
    return { mode: parent.mode, sponsor: parent.sponsor, sponsorGroups: parent.sponsorGroups };
  }
  if (consent) {
    if (useCase.accountable !== undefined) return no('This use case has no sponsor who could consent.');
    if (consent.person === agentIdentity(agent)) return no('An agent cannot sponsor itself.');
    return mayStand(snapshot, useCase, consent.person, consent.claimedGroups);
  }
  if (useCase.accountable !== undefined) {
    const { people } = snapshot.document;
    const person = Object.hasOwn(people, useCase.accountable) ? people[useCase.accountable] : undefined;
    if (!person || !sponsorStanding(snapshot, useCase, person.subject, []).stands) return no('Nobody is accountable for this use case now.');
    return { mode: 'autonomous', sponsor: person.subject, sponsorGroups: [] };
  }
  if (!login) return no('This use case needs a sponsor; nobody has logged in for it.');
  return checkSponsor(snapshot, agent, useCase, login);
}

function checkSponsor(snapshot: TenantSnapshot, agent: AgentDocument, useCase: UseCaseDocument, login: Login): Answerable | Refusal {
  if (!namesAgent(login, agent)) return no('The sponsor has not logged in for this agent.');
  if (login.person.id === agentIdentity(agent)) return no('An agent cannot sponsor itself.');
  return mayStand(snapshot, useCase, login.person.id, login.claimedGroups);
}

function mayStand(snapshot: TenantSnapshot, useCase: UseCaseDocument, person: string, claimed: readonly string[]): Answerable | Refusal {
  if (!sponsorStanding(snapshot, useCase, person, claimed).stands) return no('This person may not sponsor this use case.', person);
  return { mode: 'delegated', sponsor: person, sponsorGroups: claimed };
}

/** `may_act` decides when it is there (RFC 8693 §4.4); else the party the login was issued to, or for, is a client of the agent. */
export function namesAgent(login: Pick<Login, 'mayAct' | 'authorizedParty' | 'audiences'>, agent: AgentDocument): boolean {
  const { mayAct, authorizedParty, audiences } = login;
  if (mayAct) {
    const { identity } = agent;
    const pair = typeof identity === 'object' && 'issuer' in identity && mayAct.iss === identity.issuer && mayAct.sub === identity.subject;
    return pair || (mayAct.iss === null && mayAct.sub === agentIdentity(agent));
  }
  return (authorizedParty !== null && agent.clients.includes(authorizedParty)) || audiences.some((one) => agent.clients.includes(one));
}

/** What the sponsor's issuer signed about the task: nothing, exactly one task, or something that cannot be one. */
export function signedTask(login: Login | null): TaskAsked | null | Refusal {
  const entries = (login?.authorizationDetails ?? []).filter(
    (entry) => typeof entry === 'object' && entry !== null && 'type' in entry && entry.type === 'taskgate-task',
  );
  if (entries.length === 0) return null;
  const parsed = taskAsked.safeParse(entries[0]);
  return entries.length === 1 && parsed.success ? parsed.data : no("The sponsor's login covers something that is not one task.");
}

/**
 * Who vouches for objective and inputs. A login that covers a task covers that task only: another is refused, for the
 * sponsor agreed to less than is asked.
 */
export function attest(
  useCase: UseCaseDocument,
  task: { readonly objective: string; readonly inputs: Readonly<Record<string, unknown>> },
  signed: TaskAsked | null,
  otherwise: AttestedBy,
): AttestedBy | Refusal {
  if (!signed) return otherwise;
  const other = no("The sponsor's login covers another task.");
  if (signed.use_case !== useCase.name || (signed.objective ?? useCase.purpose) !== task.objective) return other;
  const read = readInputs(useCase, signed.inputs);
  return 'refused' in read || !equalInputs(read.inputs, task.inputs) ? other : 'sponsor';
}
