import { type Assertion, excludedFrom } from '../approvals/index.ts';
import { type Asker, involvedAs, isInChain, isSame, type Needs, whyNotActivate } from './asker.ts';
import { isBarred } from './barred.ts';
import { reviewMs } from './limits.ts';
import { answerOf, type BreakGlassAnswer } from './outcome.ts';
import { confirming, provenBy, provesPresence } from './presence.ts';
import { refuseBreakGlass } from './refusals.ts';

/** The second of two people: from here on it is active, everybody is told, and the clock runs. */
export async function confirmBreakGlass(ports: Needs, asker: Asker, id: string, given?: Assertion): Promise<BreakGlassAnswer> {
  const { store } = ports;
  const { snapshot } = asker;
  const { tenant } = snapshot;
  const at = ports.clock();
  const refused = whyNotActivate(asker);
  if (refused) return refused;
  const row = await store.readBreakGlass(tenant, id);
  if (!row) return refuseBreakGlass('break_glass.not_found');
  const presence = await provesPresence(ports, asker, confirming(row), given);
  if (!presence.ok) return presence;
  if (isSame(asker, row.terms.initiator)) return refuseBreakGlass('break_glass.same_person');
  const view = await store.readSession(tenant, row.session);
  if (!view) return refuseBreakGlass('break_glass.no_session');
  if (isInChain(asker, [...row.terms.excluded, ...excludedFrom(snapshot, view.session, view.ancestors)])) return refuseBreakGlass('break_glass.involved');

  const { session, agent, terms } = row;
  const { useCase } = view.session;
  if (await isBarred(ports, asker, { agent, useCase, tools: terms.tools })) return refuseBreakGlass('break_glass.too_recent');

  const answer = await store.confirmBreakGlass({
    tenant,
    id,
    confirmer: involvedAs(asker),
    revision: snapshot.revision,
    at,
    reviewMs,
    record: {
      type: 'break_glass.activated',
      at,
      tenant,
      session,
      agent,
      actor: asker.standing.person,
      break_glass: id,
      incident: terms.incident,
      reason: terms.reason,
      tools: terms.tools,
      revision: snapshot.revision,
      ...provenBy(presence),
    },
  });
  return answerOf(answer);
}
