import { type AttestedBy, attesters } from '../../policies/index.ts';
import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import type { RecordBody } from '../audit/record.ts';
import { isRefusal, type Refusal, refuse } from '../call/refusals.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { agentIdentity, type Login, type Proof, takeProof } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import type { CodeGrant, NewSession, SessionRow } from '../store/store.ts';
import { boundSession } from './bound-session.ts';
import { attest, type Consent, findAnswerable, signedTask } from './check-sponsor.ts';
import { checkTemplate } from './check-standing.ts';
import { findParent } from './find-parent.ts';
import { narrowGrants } from './narrow-grants.ts';
import { readObservedUntil } from './observed-until.ts';
import { equalInputs, readInputs } from './read-inputs.ts';
import { newSessionId } from './session-id.ts';
import { longestObjective, type TaskAsked } from './task-details.ts';

export type SessionPorts = Pick<Ports, 'store' | 'clock' | 'newId' | 'config' | 'log'>;

/** What is asked for, by an agent that has proven itself: a request, never the grant. */
export interface OpenRequest {
  /** The agent's document name, proven by its workload credential or its connection token. */
  readonly agent: string;
  readonly useCase: string;
  /** At most 2,000 characters; the use case's purpose when left out, the parent's objective in a child. */
  readonly objective?: string | null;
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** Brokered names; all that the use case grants when left out. */
  readonly tools?: readonly string[] | null;
  /** Seconds. */
  readonly lifetime?: number | null;
  readonly parent?: string | null;
  /** The sponsor's login; used up when the session opens. */
  readonly login?: Login | null;
  /** In place of a login: the sponsor's consent, with the code that stands for it, which is used up when the session opens. */
  readonly consent?: (Consent & { readonly grant: CodeGrant }) | null;
  /** Who vouches for objective and inputs if the login does not; `orchestrator` only when one has proven its key. */
  readonly attestedBy?: 'agent' | 'orchestrator';
  /** The agent's identity when left out; `orchestrator:<name>` when one asks. */
  readonly requester?: string;
  /** The key it is to be bound to, for good; used up when the session opens. */
  readonly proof?: Proof | null;
  /** Hash of the connection token it is opened with. */
  readonly connection?: string | null;
}

const sharedMemoryMs = 86_400_000;

/** Opens a task session when every rule of admission holds. Refusals and openings are on the record. */
export async function openSession(ports: SessionPorts, snapshot: TenantSnapshot, request: OpenRequest): Promise<SessionRow | Refusal> {
  const at = ports.clock();
  const opened = await tryOpen(ports, snapshot, request, at);
  if (isRefusal(opened)) await ports.store.append(snapshot.tenant, [refusalRecord(snapshot, request, opened, at)]);
  return opened;
}

async function tryOpen(ports: SessionPorts, snapshot: TenantSnapshot, request: OpenRequest, at: number): Promise<SessionRow | Refusal> {
  const session = await admit(ports, snapshot, request, at);
  if (isRefusal(session)) return session;
  const once = session.mode === 'delegated' ? request.login?.once : undefined;
  const replayed = await takeProof(ports, request.proof ?? null, at);
  if (replayed) return replayed;
  // Last before the session itself, so that a request refused for another reason does not use the login up.
  if (once && !(await ports.store.useOnce(once.scope, once.key, once.expiresAt, at, once.issuedAt)))
    return refuse('session.refused', 'This login has been used before; log in again.');
  const observed = await readObservedUntil(ports, snapshot, session, at);
  const opened = await ports.store.openSession(session, at, openingRecord(snapshot, session, observed, at), request.consent?.grant);
  if (!('refused' in opened)) {
    if (observed !== null)
      ports.log.warn(
        { tenant: opened.tenant, session: opened.id, use_case: opened.useCase, observed_until: observed },
        'a session opened under observation: tenant policy is recorded, not enforced',
      );
    return opened;
  }
  switch (opened.refused) {
    case 'already_open':
      return refuse('session.already_open', 'A task is open already; end it first.');
    case 'too_many_open':
      return refuse('session.refused', 'As many tasks of this use case are open as may be.');
    case 'parent_not_live':
      return refuse('session.refused', 'There is no such parent task.');
    case 'code_used':
      return refuse('session.refused', 'This consent has been used before.');
    case 'stale':
      return refuse('stale', 'The configuration is changing; try again.');
  }
}

/** Every rule of admission, in one place; what comes out is what will be stored. */
async function admit(ports: SessionPorts, snapshot: TenantSnapshot, request: OpenRequest, at: number): Promise<NewSession | Refusal> {
  const template = await checkTemplate(ports, snapshot, request, at);
  if (isRefusal(template)) return template;
  const { agent, useCase, grants: expanded } = template;
  const cnf = request.proof ? { jkt: request.proof.jkt } : null;
  if ((snapshot.document.require_proof || useCase.require_proof) && cnf === null)
    return refuse(
      'session.proof_required',
      'This task takes only tokens bound to a key; bearers are refused. Ask with a DPoP proof, as `taskgate connect` does.',
    );

  const parent = request.parent ? await findParent(ports, snapshot.tenant, request.parent, template, at) : null;
  if (isRefusal(parent)) return parent;
  if (parent?.cnf && cnf === null)
    return refuse('session.proof_required', 'The parent of this task is bound to a key, so its children are: ask with a DPoP proof.');
  // An autonomous task has nobody's word but its accountable person's: a login beside it adds nothing and is not used up.
  const login = useCase.accountable === undefined ? (request.login ?? null) : null;
  const answerable = findAnswerable(snapshot, template, login, parent, request.consent ?? null);
  if (isRefusal(answerable)) return answerable;

  const task = readTask(template.useCase, request, parent);
  if (isRefusal(task)) return task;
  const signed = signedTask(login);
  if (isRefusal(signed)) return signed;
  const attested = attest(useCase, task, signed, request.consent ? 'sponsor' : (request.attestedBy ?? 'agent'));
  if (isRefusal(attested)) return attested;
  const asked = narrowed(request, signed);
  if (isRefusal(asked)) return asked;

  const grants = narrowGrants(expanded, asked.tools, parent?.grants ?? null);
  if (isRefusal(grants)) return grants;
  const bounds = boundSession(template, { lifetime: asked.lifetime, at }, parent);
  if (isRefusal(bounds)) return bounds;

  const content = {
    tenant: snapshot.tenant,
    agent: agent.name,
    useCase: useCase.name,
    sponsor: answerable.sponsor,
    ...task,
    attestedBy: inherited(attested, task, parent),
    grants,
    ...bounds,
    parent: parent?.id ?? null,
  };
  return {
    id: newSessionId(ports, snapshot.tenant),
    ...content,
    workflow: useCase.workflow,
    mode: answerable.mode,
    sponsorGroups: answerable.sponsorGroups,
    requester: request.requester ?? agentIdentity(agent),
    taskSha256: taskDigest(content),
    cnf,
    connection: request.connection ?? null,
    openedAt: at,
    sharedMemoryWindow: agent.memory === 'shared' ? sharedMemoryMs : null,
    maxOpen: useCase.max_open_sessions ?? null,
    revision: snapshot.revision,
  };
}

/** Objective and inputs. A child has its parent's inputs: others would let it call what the parent's constraints refuse. */
function readTask(
  useCase: Parameters<typeof attest>[0],
  request: OpenRequest,
  parent: SessionRow | null,
): { readonly objective: string; readonly inputs: Readonly<Record<string, unknown>> } | Refusal {
  const objective = request.objective ?? parent?.objective ?? useCase.purpose;
  if (objective.trim() === '' || objective.length > longestObjective || !objective.isWellFormed()) {
    return refuse('session.refused', `The objective must be text of at most ${longestObjective} characters.`);
  }
  const given = request.inputs ?? {};
  const read = readInputs(useCase, parent && Object.keys(given).length === 0 ? parent.inputs : given);
  if (isRefusal(read)) return read;
  if (parent && !equalInputs(read.inputs, parent.inputs)) return refuse('session.refused', 'A child task has the inputs of its parent.');
  return { objective, inputs: read.inputs };
}

/** What is asked for, and no more than the sponsor signed. */
function narrowed(request: OpenRequest, signed: TaskAsked | null): { readonly tools: readonly string[] | null; readonly lifetime: number | null } | Refusal {
  const tools = request.tools ?? signed?.tools ?? null;
  const beyond = signed?.tools ? tools?.find((name) => !signed.tools?.includes(name)) : undefined;
  if (beyond !== undefined) return refuse('session.refused', `The sponsor's login does not cover the tool '${beyond}'.`);
  const lifetimes = [request.lifetime, signed?.lifetime].filter((one) => one !== null && one !== undefined);
  return { tools, lifetime: lifetimes.length > 0 ? Math.min(...lifetimes) : null };
}

/** A child that says the same as its parent is attested like it; one with an objective of its own at most as well as both. */
function inherited(own: AttestedBy, task: { readonly objective: string }, parent: SessionRow | null): AttestedBy {
  if (!parent) return own;
  if (task.objective === parent.objective) return parent.attestedBy;
  return attesters[Math.max(attesters.indexOf(own), attesters.indexOf(parent.attestedBy))] ?? 'agent';
}

type Content = Pick<
  NewSession,
  'tenant' | 'agent' | 'useCase' | 'sponsor' | 'objective' | 'inputs' | 'attestedBy' | 'grants' | 'ceiling' | 'budget' | 'expiresAt' | 'parent'
>;

/** SHA-256, hex, of the canonical form of all that makes the task what it is: two sessions with one digest may do the same. */
export function taskDigest(content: Content): string {
  const { tenant, agent, sponsor, objective, inputs, ceiling, budget, parent } = content;
  return sha256Hex(
    canonicalForm({
      tenant,
      agent,
      use_case: content.useCase,
      sponsor,
      objective,
      inputs,
      attested_by: content.attestedBy,
      grants: content.grants.map(({ tool, digest, arguments: args, origins, maxCalls }) => ({ tool, digest, arguments: args, origins, max_calls: maxCalls })),
      ceiling,
      budget: { calls: budget.calls, amount: budget.amount, per_day: budget.perDay },
      not_after: content.expiresAt / 1000,
      parent,
    }),
  );
}

function openingRecord(snapshot: TenantSnapshot, session: NewSession, observed: string | null, at: number): RecordBody {
  return {
    type: 'session.opened',
    at,
    tenant: session.tenant,
    session: session.id,
    agent: session.agent,
    sponsor: session.sponsor,
    actor: session.requester,
    use_case: session.useCase,
    task_sha256: session.taskSha256,
    attested_by: session.attestedBy,
    expires_at: session.expiresAt,
    revision: snapshot.revision,
    ...(observed === null ? {} : { observed_until: observed }),
    ...(session.cnf === null ? {} : { jkt: session.cnf.jkt }),
    ...(session.parent === null ? {} : { parent: session.parent }),
  };
}

function refusalRecord(snapshot: TenantSnapshot, request: OpenRequest, refusal: Refusal, at: number): RecordBody {
  return {
    type: 'session.refused',
    at,
    tenant: snapshot.tenant,
    agent: request.agent,
    use_case: request.useCase,
    code: refusal.refused,
    detail: refusal.detail === null ? refusal.message : `${refusal.message} (${refusal.detail})`,
    revision: snapshot.revision,
    ...(request.requester === undefined ? {} : { actor: request.requester }),
    ...(request.consent ? { sponsor: request.consent.person } : request.login ? { sponsor: request.login.person.id } : {}),
    ...(request.parent ? { parent: request.parent } : {}),
  };
}
