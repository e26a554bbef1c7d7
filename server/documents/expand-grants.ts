import { didYouMean } from '../../policies/index.ts';
import type { BrokeredTool } from '../../tools/index.ts';
import type { ExpandedUseCase, SessionGrant } from '../store/store.ts';
import type { GrantDocument, UseCaseDocument } from './kinds.ts';
import { type DocumentProblem, type Path, type Place, problemAt } from './problems.ts';

/**
 * Turns a use case's grants into (tool, digest) as they are now: a tool that appears later is not granted by an old glob.
 * Where a tool is named exactly, that grant stands, capped by every glob that also matches it.
 */
export function expandGrants(
  place: Place,
  useCase: UseCaseDocument,
  tools: ReadonlyMap<string, BrokeredTool>,
): { readonly expanded: ExpandedUseCase; readonly problems: readonly DocumentProblem[] } {
  const problems: DocumentProblem[] = [];
  const exact = new Map<string, SessionGrant>();
  const broad = new Map<string, SessionGrant>();
  for (const [index, grant] of useCase.grants.entries()) {
    const report: Report = (path, cause, remedy) => problems.push(problemAt(place, ['grants', index, ...path], cause, remedy));
    if ('tools' in grant) {
      for (const one of expandBroad(grant, tools, report))
        broad.set(one.tool, { ...one, maxCalls: least(one.maxCalls, broad.get(one.tool)?.maxCalls ?? null) });
      continue;
    }
    const one = expandExact(grant, tools, report);
    if (one && exact.has(one.tool)) report(['tool'], `${one.tool} is granted twice`, 'Keep one of the grants');
    else if (one) exact.set(one.tool, one);
  }
  const capped = [...exact.values()].map((grant): SessionGrant => ({ ...grant, maxCalls: least(grant.maxCalls, broad.get(grant.tool)?.maxCalls ?? null) }));
  const grants = [...[...broad.values()].filter(({ tool }) => !exact.has(tool)), ...capped].sort((a, b) => (a.tool < b.tool ? -1 : 1));
  return { expanded: { name: useCase.name, grants }, problems };
}

type Report = (path: Path, cause: string, remedy: string) => void;
type BroadGrant = Extract<GrantDocument, { tools: string[] }>;
type ExactGrant = Extract<GrantDocument, { tool: string }>;

function expandBroad(grant: BroadGrant, tools: ReadonlyMap<string, BrokeredTool>, report: Report): SessionGrant[] {
  return grant.tools.flatMap((pattern, at) => {
    const matched = matching(pattern, tools).filter((tool) => grant.effect === undefined || tool.manifest.effect === grant.effect);
    if (matched.length === 0) {
      const of = grant.effect === undefined ? 'tool' : `${grant.effect} tool`;
      report(
        ['tools', at],
        `Matches no registered ${of}`,
        `Correct the name, or register the tool in an Upstream document.${didYouMean(pattern, [...tools.keys()])}`,
      );
    }
    return matched.map(({ name, digest }) => ({ tool: name, digest, arguments: {}, origins: {}, maxCalls: grant.max_calls ?? null }));
  });
}

function expandExact(grant: ExactGrant, tools: ReadonlyMap<string, BrokeredTool>, report: Report): SessionGrant | null {
  const tool = tools.get(grant.tool);
  if (!tool) {
    report(
      ['tool'],
      `There is no registered tool ${grant.tool}`,
      `Register it in an Upstream document, with its labels.${didYouMean(grant.tool, [...tools.keys()])}`,
    );
    return null;
  }
  const properties = tool.inputSchema['properties'];
  const declared = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  for (const argument of Object.keys(grant.arguments)) {
    if (declared.includes(argument)) continue;
    const remedy = `Constrain one of ${declared.join(', ') || 'its arguments, which are none'}.${didYouMean(argument, declared)}`;
    report(['arguments', argument], `${tool.name} has no argument ${argument}`, remedy);
  }
  const targets = Object.keys(tool.manifest.targets);
  for (const target of Object.keys(grant.origins)) {
    if (targets.includes(target)) continue;
    const remedy = `Name one of ${targets.join(', ') || 'its targets, which are none'}; targets stand in the Upstream document.${didYouMean(target, targets)}`;
    report(['origins', target], `${target} is not a target of ${tool.name}`, remedy);
  }
  return { tool: tool.name, digest: tool.digest, arguments: grant.arguments, origins: grant.origins, maxCalls: grant.max_calls ?? null };
}

/** Tools whose brokered name fits: `*` stands for any run of characters. */
function matching(pattern: string, tools: ReadonlyMap<string, BrokeredTool>): BrokeredTool[] {
  if (!/^[A-Za-z0-9_*-]{1,128}$/.test(pattern)) return [];
  const fits = new RegExp(`^${pattern.replace(/\*+/g, '[A-Za-z0-9_-]*')}$`);
  return [...tools.values()].filter(({ name }) => fits.test(name));
}

function least(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
