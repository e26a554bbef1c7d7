import type { BreakGlassRow } from '../store/index.ts';
import { type Asker, involvedAs, type Needs, tookPart } from './asker.ts';
import { isNewReviewer } from './barred.ts';
import { seeBreakGlass } from './end.ts';
import { answerOf, type BreakGlassAnswer } from './outcome.ts';
import { refuseBreakGlass } from './refusals.ts';

/** Somebody uninvolved says what they found, once everything it touched was rotated. */
export async function reviewBreakGlass(ports: Needs, asker: Asker, id: string, finding: string): Promise<BreakGlassAnswer> {
  const { snapshot, standing } = asker;
  const { tenant } = snapshot;
  const row = await seeBreakGlass(ports, asker, id);
  if (!row) return refuseBreakGlass('break_glass.not_found');
  if (!standing.roles.has('admin') && !standing.roles.has('auditor')) return refuseBreakGlass('break_glass.not_reviewer');
  if (tookPart(asker, row)) return refuseBreakGlass('break_glass.took_part');
  if (await isNewReviewer(ports, asker)) return refuseBreakGlass('break_glass.too_recent');
  if (row.status !== 'ended') return refuseBreakGlass('break_glass.not_ended');
  if ((await toRotate(ports, row)).length > 0) return refuseBreakGlass('break_glass.not_rotated');
  const at = ports.clock();
  const about = { at, tenant, session: row.session, agent: row.agent, actor: standing.person, break_glass: id, incident: row.terms.incident };
  const answer = await ports.store.reviewBreakGlass({
    tenant,
    id,
    revision: snapshot.revision,
    at,
    review: { ...involvedAs(asker), finding },
    record: { ...about, type: 'break_glass.reviewed', reason: finding, revision: snapshot.revision },
  });
  return answerOf(answer);
}

/** Credentials it may have touched that have the value they had when it ended. */
export async function toRotate(ports: Pick<Needs, 'store'>, { tenant, rotate }: BreakGlassRow): Promise<string[]> {
  if (rotate.length === 0) return [];
  const now = new Map((await ports.store.listSecrets(tenant)).map(({ name, version }) => [name, version]));
  return rotate.filter(({ name, version }) => now.get(name) === version).map(({ name }) => name);
}
