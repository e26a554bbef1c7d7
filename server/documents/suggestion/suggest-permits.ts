import { stringify } from 'yaml';
import { type CaseResult, compilePolicy, findUntested, type PolicySource, runCases } from '../../../policies/index.ts';
import type { Use } from '../../audit/index.ts';
import type { UseCaseDocument } from '../kinds.ts';
import { calls, oneLine } from './comment.ts';
import { sampleArguments } from './sample-arguments.ts';

export interface SuggestedPolicy {
  readonly text: string;
  /** Null when the text holds no policy, only remarks. */
  readonly cases: string | null;
}

/**
 * A permit for exactly the tools of `used` that nothing permits now, with its cases; for those that a broader permit covers
 * the same as a remark, to be put in its place. `source` is the tenant's law without `file`. What is not a remark applies.
 */
export async function suggestPermits(
  source: PolicySource,
  file: string,
  useCase: UseCaseDocument,
  used: readonly string[],
  use: Use,
): Promise<SuggestedPolicy> {
  const about = { source, file, useCase };
  const now = await outcomes(about, '', used);
  const lacking = used.filter((tool) => lacksPermit(now.get(tool), tool, use));
  const covered = used.filter((tool) => !lacking.includes(tool));
  const remarks = [...stoppedLines(use), ...covered.map((tool) => coveredLine(tool, use))];
  const instead = covered.length === 0 ? [] : ['// To permit exactly what was used, put in their place:', ...remark(permitOf(about, covered))];
  if (lacking.length === 0) return { text: [...remarks, ...instead, ''].join('\n'), cases: null };

  const permit = permitOf(about, lacking);
  const then = await outcomes(about, permit, lacking);
  const cases = casesOf(about, lacking, then);
  const counted = lacking.map((tool) => oneLine(`// ${tool}: ${calls(use.tools.get(tool)?.calls ?? 0)}${afterwards(then.get(tool))}`));
  if (!(await applies(about, permit, cases))) {
    return {
      text: [...remarks, ...instead, '// This needs a case of yours beside it before it applies:', ...counted, ...remark(permit), ''].join('\n'),
      cases: null,
    };
  }
  return { text: [...remarks, ...instead, ...counted, permit, ''].join('\n'), cases };
}

/** What the permit will not change: forbids still ask and deny. */
function afterwards(outcome: CaseResult['actual'] | undefined): string {
  if (outcome?.decision === 'require') return `; waits for ${outcome.requirements.join(', ')}`;
  return outcome?.decision === 'allow' ? '' : '; whether it runs depends on its arguments: write a case for it by hand';
}

interface About {
  readonly source: PolicySource;
  readonly file: string;
  readonly useCase: UseCaseDocument;
}

function permitOf({ source, useCase: { name, workflow } }: About, tools: readonly string[]): string {
  const actions = tools.map((tool) => `Taskgate::Action::"${tool}"`);
  return [
    `@id("${source.tenant}/${name}-may-use")`,
    `@reason("What tasks of ${name} were seen to use")`,
    `permit (principal, action in [${actions.join(', ')}], resource)`,
    `when { principal.workflow == "${workflow}" && context.session.use_case == "${name}" };`,
  ].join('\n');
}

/** What the law with `text` beside it answers to a plain call of each tool. */
async function outcomes(about: About, text: string, tools: readonly string[]): Promise<ReadonlyMap<string, CaseResult['actual']>> {
  const source = withFile(about, text, casesOf(about, tools, new Map()));
  const compiled = await compilePolicy(source);
  if ('problems' in compiled) return new Map();
  const results = runCases(source, compiled.policy).filter(({ file }) => file === about.file);
  return new Map(tools.flatMap((tool, index) => (results[index] ? [[tool, results[index].actual] as const] : [])));
}

const withFile = ({ source, file }: About, text: string, cases: string): PolicySource => ({ ...source, files: [...source.files, { file, text, cases }] });

/** One case a tool; one that a forbid denies whatever permits it shows nothing and is left out. */
function casesOf({ source, useCase: { name, workflow } }: About, tools: readonly string[], known: ReadonlyMap<string, CaseResult['actual']>): string {
  const shown = tools.filter((tool) => known.get(tool)?.decision !== 'deny');
  const schemas = new Map(source.tools.map((tool) => [tool.name, tool.inputSchema]));
  return stringify(
    shown.map((tool) => ({
      case: `${name} may call ${tool}`,
      tool,
      facts: { agent: { workflow }, session: { use_case: name }, args: sampleArguments(schemas.get(tool) ?? {}) },
      expect: { decision: known.get(tool)?.decision ?? 'allow' },
    })),
  );
}

/** A forbid hides whether a permit would be there: then the record says. */
function lacksPermit(now: CaseResult['actual'] | undefined, tool: string, use: Use): boolean {
  if (now === undefined || now.decision === 'deny')
    return now?.cause === 'no_permit' || use.would.some((one) => one.tool === tool && one.how === 'deny' && one.policies.length === 0);
  return false;
}

async function applies(about: About, permit: string, cases: string): Promise<boolean> {
  const source = withFile(about, permit, cases);
  const compiled = await compilePolicy(source);
  if ('problems' in compiled) return false;
  const failed = runCases(source, compiled.policy).some(({ file, ok }) => file === about.file && !ok);
  return !failed && !findUntested(source).includes(`${about.source.tenant}/${about.useCase.name}-may-use`);
}

function coveredLine(tool: string, use: Use): string {
  const by = [...(use.tools.get(tool)?.permittedBy ?? [])].filter(([id]) => !id.startsWith('platform/')).map(([id, count]) => `${id} (${calls(count)})`);
  return oneLine(`// ${tool}: permitted already${by.length === 0 ? '' : `, by ${by.join(', ')}`}`);
}

/** What enforcing the tenant's policy would have stopped, and what was stopped. */
function stoppedLines(use: Use): string[] {
  const words = (verb: string, { tool, how, policies, requirements, calls: count }: Use['would'][number]): string =>
    oneLine(
      `// ${calls(count)} of ${tool} ${verb} ${how === 'require' ? `wait for ${requirements.join(', ')}` : how}: ${policies.join(', ') || 'no policy permits it'}`,
    );
  return [
    ...use.would.map((one) => words(one.how === 'require' ? 'would' : 'would be answered', one)),
    ...use.refused.map(({ tool, how, policies, calls: count }) => oneLine(`// ${calls(count)} of ${tool} refused: ${[how, ...policies].join(', ')}`)),
  ];
}

const remark = (text: string): string[] => text.split('\n').map((line) => `//   ${line}`);
