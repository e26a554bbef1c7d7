import { endOfDay } from '../documents/durations.ts';
import type { AgentDocument, UseCaseDocument } from '../documents/kinds.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Caller } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import { observedUntil } from '../sessions/index.ts';
import type { SessionRow, SessionView } from '../store/store.ts';
import { type Refusal, refuse } from './refusals.ts';

declare const entered: unique symbol;

/** Evidence that, at `at`, the caller's session was live, under exactly this configuration. */
export interface Session {
  readonly [entered]: true;
  readonly caller: Caller;
  readonly row: SessionRow;
  readonly view: SessionView;
  readonly tenant: TenantSnapshot;
  readonly agent: AgentDocument;
  readonly useCase: UseCaseDocument;
  /** The last day, `YYYY-MM-DD`, on which the tenant's policy is recorded for its calls and not enforced; null when it is enforced. */
  readonly observedUntil: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** For which task, until when, budget left: read from the store on every call, because the row is the authority. */
export async function enterSession(ports: Pick<Ports, 'store' | 'tenants' | 'clock'>, caller: Caller): Promise<Session | Refusal> {
  const view = await ports.store.readSession(caller.tenant, caller.session);
  if (!view) return refuse('session.not_found', 'This task session does not exist.');
  const at = ports.clock();
  const row = view.session;
  if (row.agent !== caller.agent || row.taskSha256 !== caller.taskSha256) return refuse('session.not_found', 'This task session does not exist.');
  const ended = [row, ...view.ancestors].map((one) => whyNotLive(one, at)).find((why) => why !== null);
  if (ended) return ended;
  if (view.agentStatus !== 'active') return refuse('agent.suspended', 'This agent is suspended; its tasks have stopped.');

  const tenant = await ports.tenants.at(caller.tenant, view.revision);
  if (!tenant) return refuse('stale', 'The configuration is changing; try again.');
  const agent = tenant.agents.get(row.agent);
  const useCase = tenant.useCases.get(row.useCase)?.document;
  if (!agent || !useCase) return refuse('session.ended', 'What this task was opened for is no longer registered.');
  if (agent.status !== 'active') return refuse('agent.suspended', 'This agent is suspended; its tasks have stopped.');
  if (endOfDay(agent.expires) <= at || endOfDay(useCase.expires) <= at) return refuse('session.expired', 'The agent or its use case has expired.');
  if (!caller.bound && (row.cnf !== null || tenant.document.require_proof || useCase.require_proof)) return proofRequired();
  const observed = observedUntil(tenant, [row, ...view.ancestors], at);
  return { caller, row, view, tenant, agent, useCase, observedUntil: observed, at } as Omit<Session, typeof entered> as Session;
}

/** The session as its agent would enter it, for judging while nobody calls: no answer of it reaches an upstream. */
export async function lookIntoSession(ports: Pick<Ports, 'store' | 'tenants' | 'clock'>, tenant: string, session: string): Promise<Session | Refusal> {
  const view = await ports.store.readSession(tenant, session);
  if (!view) return refuse('session.not_found', 'This task session does not exist.');
  const { agent, sponsor, taskSha256, cnf } = view.session;
  // A session bound to a key is entered with a proof of it and in no other way.
  const stand = { tenant, agent, session, sponsor, taskSha256, bound: cnf !== null, tokenId: '', tokenExpires: 0, door: 'session' };
  return enterSession(ports, stand as Omit<Caller, never> as Caller);
}

const proofRequired = (): Refusal =>
  refuse(
    'session.proof_required',
    'This task takes only tokens bound to a key, and this one is a bearer. Open another task with a DPoP proof, as `taskgate connect` does.',
  );

function whyNotLive(row: SessionRow, at: number): Refusal | null {
  if (row.status === 'suspended') return refuse('session.suspended', `This task is suspended${row.endReason ? `: ${row.endReason}` : ''}.`);
  if (row.status !== 'active' && row.endReason !== 'expired')
    return refuse('session.ended', `This task has ended${row.endReason ? `: ${row.endReason}` : ''}.`);
  return row.status !== 'active' || row.expiresAt <= at ? refuse('session.expired', 'This task has reached its end time.') : null;
}
