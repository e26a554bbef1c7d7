import { isRefusal, type Refusal, refuse } from '../call/refusals.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { type Proof, takeProof } from '../identity/index.ts';
import type { SessionRow } from '../store/store.ts';
import { checkTemplate, sponsorStanding } from './check-standing.ts';
import { tokenUntil } from './mint-task-token.ts';
import { readObservedUntil } from './observed-until.ts';
import type { SessionPorts } from './open-session.ts';
import { tenantOfSession } from './session-id.ts';

/** Who asks: the agent that has proven itself, or the client that acts as it. */
interface Renewer {
  /** The agent's document name. */
  readonly agent: string;
  /** As the record names who asked. */
  readonly actor: string;
  /** The key that came with the request; null when none did. */
  readonly proof: Proof | null;
}

/**
 * Whether a live session may have another token: the agent, the use case and whoever answers for it are looked at again,
 * as they stand now. It changes nothing about the session. Another agent's session and none are one answer.
 */
export async function renewSession(ports: SessionPorts, snapshot: TenantSnapshot, by: Renewer, id: string): Promise<SessionRow | Refusal> {
  const at = ports.clock();
  const renewed = await checkRenewal(ports, snapshot, by, id, at);
  const observed = isRefusal(renewed) ? null : await readObservedUntil(ports, snapshot, renewed, at);
  const record = {
    at,
    tenant: snapshot.tenant,
    agent: by.agent,
    actor: by.actor,
    session: id,
    revision: snapshot.revision,
    ...(observed === null ? {} : { observed_until: observed }),
  } as const;
  if (isRefusal(renewed)) await ports.store.append(snapshot.tenant, [{ ...record, type: 'session.refused', code: renewed.refused, detail: renewed.message }]);
  else {
    const body = { ...record, type: 'session.renewed', sponsor: renewed.sponsor, use_case: renewed.useCase, task_sha256: renewed.taskSha256 } as const;
    await ports.store.noteRenewal(snapshot.tenant, id, tokenUntil(renewed, at), body);
  }
  return renewed;
}

async function checkRenewal(ports: SessionPorts, snapshot: TenantSnapshot, { agent, proof }: Renewer, id: string, at: number): Promise<SessionRow | Refusal> {
  const gone = refuse('session.not_found', 'There is no such task.');
  const view = tenantOfSession(id) === snapshot.tenant ? await ports.store.readSession(snapshot.tenant, id) : null;
  if (!view || view.session.agent !== agent) return gone;
  const { session } = view;
  for (const one of [session, ...view.ancestors]) {
    if (one.status !== 'active')
      return refuse(one.status === 'suspended' ? 'session.suspended' : 'session.ended', `This task is over${one.endReason ? `: ${one.endReason}` : ''}.`);
    if (one.expiresAt <= at) return refuse('session.expired', 'This task has reached its end time.');
  }
  const template = await checkTemplate(ports, snapshot, session, at);
  if (isRefusal(template)) return template;
  if (!sponsorStanding(snapshot, template.useCase, session.sponsor, session.sponsorGroups).stands)
    return refuse('session.refused', 'Whoever answers for this task may not any more.');
  const needsProof = snapshot.document.require_proof || template.useCase.require_proof;
  return checkKey(session, needsProof, proof) ?? (await takeProof(ports, proof, at)) ?? session;
}

/** A task is bound to a key from its opening on, or never: it cannot fall back, nor pass to another key (RFC 9449 §5). */
function checkKey({ cnf }: SessionRow, needsProof: boolean, proof: Proof | null): Refusal | null {
  if (cnf === null && needsProof) return refuse('session.proof_required', 'This task now takes only tokens bound to a key; open another with a DPoP proof.');
  if (cnf === null && proof) return refuse('session.refused', 'This task was opened without a key, so its tokens are bearers. Open another with a DPoP proof.');
  if (cnf && !proof) return refuse('session.refused', 'This task is bound to a key: renew with a DPoP proof of that key.');
  return cnf && proof?.jkt !== cnf.jkt ? refuse('session.refused', 'This task is bound to another key.') : null;
}
