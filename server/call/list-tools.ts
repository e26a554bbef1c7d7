import { listableObserved } from '../../policies/index.ts';
import { type BrokeredTool, soberHints } from '../../tools/index.ts';
import type { ListedTool } from './call.ts';
import type { Session } from './enter-session.ts';
import { gatherFacts } from './gather-facts.ts';
import { currentGrant } from './resolve-tool.ts';

/** The granted tools that policy does not deny whatever the arguments, by name: what is callable is always listed. */
export function listTools(session: Session): readonly ListedTool[] {
  const listed: ListedTool[] = [];
  for (const grant of session.row.grants) {
    const tool = session.tenant.tools.get(grant.tool);
    const current = currentGrant(session, grant.tool);
    if (
      tool?.kind !== 'tool' ||
      tool.digest !== grant.digest ||
      session.tenant.quarantined.has(tool.name) ||
      current?.digest !== grant.digest ||
      !mayList(session, tool)
    )
      continue;
    const { title, description, outputSchema, annotations } = tool.definition;
    listed.push({
      name: tool.name,
      inputSchema: tool.inputSchema,
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
      ...(annotations === undefined ? {} : { annotations: soberHints(tool.manifest, annotations) }),
    });
  }
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function mayList(session: Session, tool: BrokeredTool): boolean {
  const { policy } = session.tenant;
  const facts = gatherFacts(session, tool, true);
  return session.observedUntil === null ? policy.listable(facts) : listableObserved(policy, facts);
}
