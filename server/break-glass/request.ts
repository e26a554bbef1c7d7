import { type Assertion, excludedFrom } from '../approvals/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { BreakGlassRow } from '../store/index.ts';
import { type Asker, involvedAs, isInChain, type Needs, whyNotActivate } from './asker.ts';
import { isBarred } from './barred.ts';
import { confirmMs } from './limits.ts';
import { answerOf, type BreakGlassAnswer } from './outcome.ts';
import { provenBy, provesPresence, requesting } from './presence.ts';
import { refuseBreakGlass } from './refusals.ts';

export interface BreakGlassRequest {
  readonly session: string;
  readonly tools: readonly string[];
  readonly incident: string;
  readonly reason: string;
  /** Milliseconds. */
  readonly lifetime: number;
  readonly calls: number;
  /** Whole ten-thousandths. */
  readonly amount: number;
}

/** The first of two people: says what is to be opened and why. Nothing is open until another confirms exactly this. */
export async function requestBreakGlass(ports: Needs, asker: Asker, request: BreakGlassRequest, given?: Assertion): Promise<BreakGlassAnswer> {
  const { store } = ports;
  const { snapshot } = asker;
  const { tenant } = snapshot;
  const at = ports.clock();
  const refused = whyNotActivate(asker);
  if (refused) return refused;
  const presence = await provesPresence(ports, asker, requesting(request), given);
  if (!presence.ok) return presence;
  const view = await store.readSession(tenant, request.session);
  if (view?.session.status !== 'active') return refuseBreakGlass('break_glass.no_session');
  const excluded = excludedFrom(snapshot, view.session, view.ancestors);
  if (isInChain(asker, excluded)) return refuseBreakGlass('break_glass.involved');
  const tools = [...new Set(request.tools)].sort();
  if (tools.some((tool) => !view.session.grants.some((grant) => grant.tool === tool))) return refuseBreakGlass('break_glass.tool_not_granted');
  const { agent, useCase } = view.session;
  if (await isBarred(ports, asker, { agent, useCase, tools })) return refuseBreakGlass('break_glass.too_recent');
  // Said now to whoever asks; the activation itself makes sure.
  if ((await store.countChannels(tenant)) === 0) return refuseBreakGlass('break_glass.no_channel');

  const id = ports.newId('bgl');
  const session = view.session.id;
  const answer = await store.requestBreakGlass({
    tenant,
    id,
    session,
    agent,
    revision: snapshot.revision,
    at,
    confirmBy: at + confirmMs,
    terms: {
      tools,
      incident: request.incident,
      reason: request.reason,
      lifetime: request.lifetime,
      calls: request.calls,
      amount: request.amount,
      initiator: involvedAs(asker),
      excluded,
      credentials: credentialsOf(snapshot, tools),
    },
    record: {
      type: 'break_glass.requested',
      at,
      tenant,
      session,
      agent,
      actor: asker.standing.person,
      break_glass: id,
      incident: request.incident,
      reason: request.reason,
      tools,
      revision: snapshot.revision,
      count: request.calls,
      ...provenBy(presence),
      detail: `at most ${request.calls} calls, ${request.amount / 10_000} in amounts, ${request.lifetime / 60_000} minutes`,
    },
  });
  return answerOf(answer);
}

function credentialsOf(snapshot: TenantSnapshot, tools: BreakGlassRow['terms']['tools']): string[] {
  const names = tools.flatMap((tool) => snapshot.upstreams.get(snapshot.tools.get(tool)?.upstream ?? '')?.document.credential ?? []);
  return [...new Set(names)].sort();
}
