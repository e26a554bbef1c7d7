import { compileLaw, lawOf } from '../engine/compile.ts';
import { decide } from '../engine/decide.ts';
import { type Law, makeLaw } from '../engine/law.ts';
import { inputsOf } from '../engine/schema.ts';
import type { TenantPolicy } from '../engine/tenant-policy.ts';
import type { CallFacts, PolicySource } from '../facts.ts';
import type { Decision } from '../vocabulary.ts';
import { caseFacts } from './case-facts.ts';
import { type PolicyCase, parseCases } from './parse.ts';

/** A decision as cases speak of it; ids and literals sorted. */
export interface CaseOutcome {
  readonly decision: Decision['decision'];
  readonly requirements: readonly string[];
  readonly policies: readonly string[];
  /** Of a denial: what kind, and the detail for the author. */
  readonly cause: string | null;
}

export interface CaseResult {
  readonly file: string;
  readonly case: string;
  readonly ok: boolean;
  readonly expected: PolicyCase['expect'];
  readonly actual: CaseOutcome;
}

/** Runs every case beside the source's files. What a case does not expect is not compared; lists are compared as sets. */
export function runCases(source: PolicySource, policy: TenantPolicy): readonly CaseResult[] {
  const law = lawOf(policy);
  return allCases(source).map(({ file, one }) => {
    const facts = caseFacts(source, law, one);
    const actual = facts ? outcomeOf(decide(law, facts)) : unknownTool(one.tool);
    return { file, case: one.case, ok: facts !== null && meets(actual, one.expect), expected: one.expect, actual };
  });
}

/**
 * The policies with this prefix that no case would miss: with one dropped, every case still meets what it expects.
 * Throws when the source does not compile.
 */
export function findUntested(source: PolicySource, prefix: string = source.tenant): string[] {
  const compiled = compileLaw(source);
  if ('problems' in compiled) throw new Error('Only a set that compiles can be searched for untested policies');
  const { law } = compiled;
  const stated = allCases(source).flatMap(({ one }) => {
    const facts = caseFacts(source, law, one);
    return facts && meets(outcomeOf(decide(law, facts)), one.expect) ? [{ facts, expect: one.expect }] : [];
  });
  return [...law.policies.keys()].filter((id) => id.startsWith(`${prefix}/`) && !isMissed(source, law, id, stated));
}

function isMissed(source: PolicySource, law: Law, id: string, stated: readonly { facts: CallFacts; expect: PolicyCase['expect'] }[]): boolean {
  const concerned = stated.filter(({ facts }) => law.tools.get(facts.tool.name)?.policies.some((policy) => policy.id === id));
  const names = new Set(concerned.map(({ facts }) => facts.tool.name));
  const rest = [...law.policies.values()].filter((policy) => policy.id !== id);
  const tools = source.tools.filter(({ name }) => names.has(name));
  const without = makeLaw(source.tenant, rest, tools, inputsOf(source.useCases));
  return concerned.some(({ facts, expect }) => !meets(outcomeOf(decide(without, facts)), expect));
}

function allCases(source: PolicySource): { file: string; one: PolicyCase }[] {
  return source.files.flatMap(({ file, cases }) => (cases === null ? [] : parseCases(file, cases).cases.map((one) => ({ file, one }))));
}

function outcomeOf(decision: Decision): CaseOutcome {
  const policies = decision.policies.map(({ id }) => id).sort();
  switch (decision.decision) {
    case 'allow':
      return { decision: 'allow', requirements: [], policies, cause: null };
    case 'require':
      return { decision: 'require', requirements: decision.requirements.map(({ literal }) => literal).sort(), policies, cause: null };
    case 'deny':
      return { decision: 'deny', requirements: [], policies, cause: decision.detail === null ? decision.cause : `${decision.cause}: ${decision.detail}` };
  }
}

/** A case about a tool that is not there is about nothing, and never ok. */
const unknownTool = (tool: string): CaseOutcome => ({ decision: 'deny', requirements: [], policies: [], cause: `There is no tool ${tool}` });

function meets(actual: CaseOutcome, expected: PolicyCase['expect']): boolean {
  return (
    actual.decision === expected.decision &&
    (expected.requirements === undefined || sameSet(actual.requirements, expected.requirements)) &&
    (expected.policies === undefined || sameSet(actual.policies, expected.policies))
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify([...new Set(a)].sort()) === JSON.stringify([...new Set(b)].sort());
}
