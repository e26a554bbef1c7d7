import type { BreakGlassRow } from '../store/index.ts';
import { type Asker, maySee, type Needs } from './asker.ts';
import type { BreakGlassAnswer } from './outcome.ts';
import { refuseBreakGlass } from './refusals.ts';

/** Ends it before its time, or takes it back before it was confirmed: that only narrows, so whoever may see it may. */
export async function endBreakGlass(ports: Needs, asker: Asker, id: string, reason: string): Promise<BreakGlassAnswer> {
  const { tenant } = asker.snapshot;
  const row = await seeBreakGlass(ports, asker, id);
  if (!row) return refuseBreakGlass('break_glass.not_found');
  const at = ports.clock();
  const about = { at, tenant, session: row.session, agent: row.agent, actor: asker.standing.person, break_glass: id, incident: row.terms.incident, reason };
  const ended = await ports.store.endBreakGlass(tenant, id, 'ended_by_a_person', at, { ...about, type: 'break_glass.ended', code: 'ended_by_a_person' });
  const after = await ports.store.readBreakGlass(tenant, id);
  return ended && after ? { ok: true, row: after } : refuseBreakGlass('break_glass.not_open');
}

/** Null for whoever may not see it, exactly as for one that is not there. */
export async function seeBreakGlass(ports: Pick<Needs, 'store'>, asker: Asker, id: string): Promise<BreakGlassRow | null> {
  return maySee(asker) ? ports.store.readBreakGlass(asker.snapshot.tenant, id) : null;
}
