import { parseCases } from '../cases/parse.ts';
import type { PolicyProblem, PolicySource } from '../facts.ts';
import { type LintScope, lint, lintNames } from '../lint/index.ts';
import { platform, platformPolicies } from '../platform-rules.ts';
import { decide, listable } from './decide.ts';
import { withEngine } from './instance.ts';
import { type Law, makeLaw } from './law.ts';
import { type ParsedPolicy, parsePolicies } from './parse-policies.ts';
import { unguardedTools } from './probe.ts';
import { inputsOf, schemaOf, toolType } from './schema.ts';
import type { TenantPolicy } from './tenant-policy.ts';
import { validatePolicies } from './validate.ts';

/**
 * Compiles a tenant's law: its own texts and the platform's rules. All problems of one stage are told together; a later
 * stage runs only on what the earlier ones let through, so that nothing unchecked reaches the engine.
 */
export async function compilePolicy(source: PolicySource): Promise<{ policy: TenantPolicy } | { problems: readonly PolicyProblem[] }> {
  const compiled = compileLaw(source);
  return 'problems' in compiled ? compiled : { policy: tenantPolicy(compiled.law) };
}

export function compileLaw(source: PolicySource): { law: Law } | { problems: readonly PolicyProblem[] } {
  const own: ParsedPolicy[] = [];
  const problems: PolicyProblem[] = [];
  if (source.tenant === platform) {
    const cause = `No tenant may be called ${platform}: its policies would carry the platform's ids`;
    return { problems: [{ file: '(tenant)', line: null, policy: null, cause, remedy: 'Choose another name' }] };
  }
  for (const { file, text, cases } of source.files) {
    const parsed = parsePolicies(file, text);
    own.push(...parsed.policies);
    problems.push(...parsed.problems);
    if (cases !== null) problems.push(...parseCases(file, cases).problems);
  }
  if (problems.length > 0) return { problems };

  const inputs = inputsOf(source.useCases);
  const agents = source.agents.map(({ name }) => name);
  const workflows = [...new Set([...source.agents, ...source.useCases].map(({ workflow }) => workflow))];
  const scope: LintScope = { prefix: source.tenant, effects: 'any', tools: source.tools, inputs, agents, workflows };
  const linted = lint(own, scope);
  if (linted.length > 0) return { problems: linted };

  const invalid = validatePolicies(own, schemaOf(source.tools.map(toolType), inputs));
  if (invalid.length > 0) return { problems: invalid };
  const unknown = lintNames(own, scope);
  if (unknown.length > 0) return { problems: unknown };

  const law = makeLaw(source.tenant, [...platformPolicies(), ...own], source.tools, inputs);
  const engine = engineProblems(law);
  return engine.length > 0 ? { problems: engine } : { law };
}

const laws = new WeakMap<TenantPolicy, Law>();

function tenantPolicy(law: Law): TenantPolicy {
  const policy: TenantPolicy = {
    tenant: law.tenant,
    decide: (facts) => decide(law, facts),
    listable: (facts) => listable(law, facts),
  };
  laws.set(policy, law);
  return policy;
}

/** The law behind a compiled policy; only this module makes them. */
export function lawOf(policy: TenantPolicy): Law {
  const law = laws.get(policy);
  if (!law) throw new Error('Not a policy that compilePolicy made');
  return law;
}

/** What must hold before the engine may judge by this law: the list-time forms load, and forbids over groups bite. */
function engineProblems(law: Law): PolicyProblem[] {
  const atList = Object.fromEntries([...law.policies.values()].map(({ id, relaxed }) => [id, relaxed]));
  const parsed = withEngine((engine) => engine.checkParsePolicySet({ staticPolicies: atList }));
  const problem = (cause: string): PolicyProblem => ({
    file: '(engine)',
    line: null,
    policy: null,
    cause,
    remedy: 'This is a fault of the policy engine or its use: report it; the last good set stays',
  });
  if (parsed.type === 'failure') return parsed.errors.map(({ message }) => problem(`The list-time form does not load: ${message}`));
  return unguardedTools(law).map((tool) => problem(`A forbid over a group of actions does not bite for ${tool}`));
}
