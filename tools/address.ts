import type { BrokeredTool } from './catalogue.ts';
import { expandTemplate, longestUri, matchTemplate, parseTemplate } from './uri-template.ts';

/** From the address a client asks for to an operation with arguments, and back to what its upstream is asked for. */

export interface MatchedResource {
  readonly tool: BrokeredTool;
  readonly arguments: Readonly<Record<string, string>>;
}

/**
 * The one of `tools` that `uri` is an address of: a resource of exactly that one, else a template that makes it. Where two of a rank
 * fit, nobody can tell which is meant, and neither is.
 */
export function matchResource(tools: Iterable<BrokeredTool>, uri: string): MatchedResource | 'none' | 'ambiguous' {
  if (uri.length > longestUri) return 'none';
  const all = [...tools];
  const exact = all.flatMap((tool): MatchedResource[] => (tool.kind === 'resource' && tool.address === uri ? [{ tool, arguments: {} }] : []));
  const [first, second] = exact.length > 0 ? exact : all.flatMap((tool) => madeBy(tool, uri));
  return first === undefined ? 'none' : second === undefined ? first : 'ambiguous';
}

function madeBy(tool: BrokeredTool, uri: string): MatchedResource[] {
  const values = tool.kind === 'template' ? matchTemplate(tool.template, uri) : null;
  return values ? [{ tool, arguments: values }] : [];
}

/** What the upstream is asked for: a template with its variables filled in, anything else as it stands. `args` fit the operation's schema. */
export function expand({ kind, address }: Pick<BrokeredTool, 'kind' | 'address'>, args: Readonly<Record<string, unknown>>): string {
  if (kind !== 'template') return address;
  const template = parseTemplate(address);
  if ('cause' in template) throw new Error('a template that was registered cannot be read');
  return expandTemplate(template, args);
}
