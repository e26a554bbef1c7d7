import type { Expr } from '../engine/cedar.ts';
import { childrenOf, pathOf, type Read, readsOf } from '../engine/expression.ts';
import { canConcern } from '../engine/law.ts';
import { type RecordType, recordOf } from '../engine/value-types.ts';
import { didYouMean } from '../suggest.ts';
import type { Finding, LintRule, LintScope } from './rule.ts';

/** A policy reads arguments and inputs by name, and only those that exist and can be read. */
export const reads: LintRule = (policy, scope) => {
  const findings = policy.json.conditions.flatMap(({ body }) => bareContext(body));
  const concerned = scope.tools.filter((tool) => canConcern(policy, tool)).map((tool) => ({ tool, args: recordOf(tool.inputSchema) }));
  for (const read of policy.reads) {
    const [variable, root, ...names] = read.path;
    if (variable === 'context' && root === 'args' && names.length > 0) findings.push(...argument(names, concerned));
    else if (variable === 'context' && root === 'inputs' && names.length > 0) findings.push(...input(names, scope));
    else if (read.how === 'has') findings.push(needless(read));
  }
  return [...new Map(findings.map((finding) => [finding.cause, finding])).values()];
};

type Concerned = readonly { readonly tool: LintScope['tools'][number]; readonly args: RecordType }[];

function argument(names: readonly string[], concerned: Concerned): Finding[] {
  const path = names.join('.');
  const found = concerned.map(({ tool, args }) => ({ tool, state: find(args, names) }));
  if (found.every(({ state }) => state === 'undeclared')) {
    return [
      {
        cause: `No tool that this policy concerns has an argument \`${path}\``,
        remedy: `Check its name with \`taskgate policy schema\`.${didYouMean(
          path,
          concerned.flatMap(({ args }) => namesOf(args)),
        )}`,
      },
    ];
  }
  // A read tool's call is denied when such an argument comes; an effect must not depend on that being noticed late.
  return found
    .filter(({ tool, state }) => state === 'unreadable' && tool.effect !== 'read')
    .map(({ tool }) => ({
      cause: `The argument \`${path}\` of ${tool.name} has no type that policy can read`,
      remedy: 'Leave the tool out of the policy’s action, or register the tool with a simple type for it',
    }));
}

function input(names: readonly string[], { inputs }: LintScope): Finding[] {
  const path = names.join('.');
  const state = find(inputs, names);
  if (state === 'undeclared')
    return [{ cause: `No use case has an input \`${path}\``, remedy: `Check its name in the use case.${didYouMean(path, namesOf(inputs))}` }];
  if (state === 'readable') return [];
  return [
    { cause: `The input \`${path}\` has no type that policy can read, or use cases type it differently`, remedy: 'Give it one simple type in every use case' },
  ];
}

/** Every readable path of a record, with dots. */
function namesOf(record: RecordType): string[] {
  return [...record.fields].flatMap(([name, { type }]) => [name, ...(type?.kind === 'record' ? namesOf(type).map((below) => `${name}.${below}`) : [])]);
}

function find(record: RecordType, [name, ...below]: readonly string[]): 'readable' | 'unreadable' | 'undeclared' {
  const field = name === undefined ? undefined : record.fields.get(name);
  if (!field) return 'undeclared';
  if (!field.type) return 'unreadable';
  if (below.length === 0) return 'readable';
  return field.type.kind === 'record' ? find(field.type, below) : 'undeclared';
}

const needless = ({ path }: Read): Finding => ({
  cause: `\`has ${path.at(-1)}\` asks for something that is always there, or never`,
  remedy: 'Only optional arguments and inputs can be absent: read the value, or correct the name',
});

/** `context`, `context.args` or `context.inputs` used as a value would hide which of their fields are read. */
function bareContext(expr: Expr): Finding[] {
  const path = pathOf(expr);
  if (path) {
    const bare = path[0] === 'context' && (path.length === 1 || (path.length === 2 && (path[1] === 'args' || path[1] === 'inputs')));
    return bare ? [{ cause: `\`${path.join('.')}\` is used as a whole`, remedy: 'Read its fields by name' }] : [];
  }
  if ('has' in expr && readsOf(expr)[0]?.how === 'has') return [];
  return childrenOf(expr).flatMap(bareContext);
}
