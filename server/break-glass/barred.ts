import { isTooRecent, recentChanges, restsOn } from '../changes/index.ts';
import type { Ports } from '../ports.ts';
import type { Asker } from './asker.ts';

type Needs = Pick<Ports, 'store' | 'clock'>;

/**
 * This person asked for, or was added by, a change of the last day that the door rests on: who may open it, which forbids are marked,
 * what the tools and the task are, and where people are told.
 */
export async function isBarred(
  ports: Needs,
  { snapshot, standing }: Asker,
  opened: { agent: string; useCase: string; tools: readonly string[] },
): Promise<boolean> {
  const group = snapshot.document.break_glass?.group ?? '';
  const rests = new Set([
    `group:${group}`,
    ...[...snapshot.channels.keys()].map((name) => `channel:${name}`),
    ...opened.tools.flatMap((tool) => [...restsOn({ agent: opened.agent, tool, requirements: [] }, opened.useCase, snapshot)]),
  ]);
  return isTooRecent(await recentChanges(ports, snapshot.tenant), rests, standing.person);
}

/** As for whoever would review: nobody is made a judge of what is already under way. */
export async function isNewReviewer(ports: Needs, { snapshot, standing }: Asker): Promise<boolean> {
  return isTooRecent(await recentChanges(ports, snapshot.tenant), new Set(['role:admin', 'role:auditor']), standing.person);
}
