import { type BrokeredTool, matchResource } from '../../tools/index.ts';
import type { Asked } from './call.ts';
import type { Session } from './enter-session.ts';
import { type Refusal, refuse } from './refusals.ts';

/** An operation by its brokered name, and the arguments it is to be called with. */
export interface Named {
  readonly tool: string;
  readonly arguments: unknown;
}

/** What the method asks for by name or by address. A name of another kind is as unknown as one that is not there. */
export function findOperation(session: Session, asked: Asked): Named | Refusal {
  if (asked.kind === 'resource') return atAddress(session, asked.uri);
  const found = session.tenant.tools.get(asked.tool);
  return found === undefined || found.kind === asked.kind ? asked : unknown(`Unknown ${asked.kind}: ${asked.tool}`, `a ${found.kind}`);
}

/** What stands on the record for whatever was asked for: an address holds arguments, and those are never written down. */
export function recordedName(session: Session | null, asked: Asked): string {
  if (asked.kind !== 'resource') return asked.tool;
  const found = session && atAddress(session, asked.uri);
  return found && 'tool' in found ? found.tool : 'resources/read';
}

/**
 * The one granted operation that the address is of. To its upstream an address is that of one operation, granted or not: a template that
 * was granted does not reach what is registered, and labelled, by itself. Where two upstreams have it, nobody can tell which is meant.
 */
export function atAddress({ row, tenant }: Pick<Session, 'row' | 'tenant'>, uri: string): Named | Refusal {
  const granted = new Set(row.grants.map(({ tool }) => tool));
  const upstreams = new Set(row.grants.flatMap(({ tool }) => tenant.tools.get(tool)?.upstream ?? []));
  const found: BrokeredTool[] = [];
  let why = 'nothing registered is at the address';
  for (const upstream of upstreams) {
    const own = [...tenant.tools.values()].filter((tool) => tool.upstream === upstream);
    const match = matchResource(own, uri);
    if (match === 'ambiguous') why = `several of ${upstream} are at the address`;
    else if (match !== 'none' && granted.has(match.tool.name)) found.push(match.tool);
    else if (match !== 'none') why = `${match.tool.name} is registered, not granted`;
  }
  const match = matchResource(found, uri);
  if (match === 'ambiguous') return unknown('Resource not found', `ambiguous: ${found.map(({ name }) => name).join(', ')}`);
  return match === 'none' ? unknown('Resource not found', why) : { tool: match.tool.name, arguments: match.arguments };
}

const unknown = (message: string, detail: string): Refusal => refuse('tool.not_granted', message, { detail });
