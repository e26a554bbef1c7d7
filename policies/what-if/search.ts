import { decide } from '../engine/decide.ts';
import type { Law, ToolLaw } from '../engine/law.ts';
import type { ParsedPolicy } from '../engine/parse-policies.ts';
import type { CallFacts } from '../facts.ts';
import { parseRequirement, satisfiedBy } from '../requirements.ts';
import type { Decision } from '../vocabulary.ts';
import type { Change, FactChange } from './explanation.ts';
import { type Fact, factAt } from './fact.ts';
import { type Compared, comparedIn } from './literals.ts';

/** Decisions one search may make. */
const mostTried = 200;
const mostChanges = 8;

interface Attempt {
  readonly change: FactChange;
  readonly path: readonly string[];
  readonly to: unknown;
  readonly decision: Decision;
}

/**
 * Which single fact, among those that `policies` read, would turn the outcome: every candidate is judged anew and only
 * what turned it is told. Where no single one does, one for each determining policy is tried together.
 */
export function findChanges(law: Law, facts: CallFacts, decision: Decision, policies: readonly ParsedPolicy[]): { changes: readonly Change[]; tried: number } {
  const tool = law.tools.get(facts.tool.name);
  if (!tool || decision.decision === 'allow') return { changes: [], tried: 0 };
  let tried = 0;
  const judge = (changed: CallFacts): Decision | null => {
    if (tried >= mostTried) return null;
    tried += 1;
    return decide(law, changed);
  };

  const changes: Change[] = [];
  if (decision.decision === 'require') {
    const granted = [...new Set([...facts.satisfied, ...decision.requirements.flatMap(votesFor)])];
    const turned = judge({ ...facts, satisfied: granted });
    if (turned?.decision === 'allow') changes.push(changeOf([{ fact: 'context.satisfied', from: written(facts.satisfied), to: written(granted) }], turned));
  }

  const attempts: Attempt[] = [];
  for (const { path, to, change } of candidates(tool, facts, policies)) {
    const next = factAt(tool, facts, path)?.with(to);
    const turned = next ? judge(next) : null;
    if (turned) attempts.push({ path, to, change, decision: turned });
  }
  const told = new Set<string>();
  for (const { change, decision: turned } of attempts) {
    const key = `${change.fact} ${turned.decision}`;
    if (!better(decision, turned) || told.has(key)) continue;
    told.add(key);
    changes.push(changeOf([change], turned));
  }
  if (changes.length === 0) changes.push(...together(tool, facts, decision, attempts, judge));
  return { changes: changes.slice(0, mostChanges), tried };
}

/** Further from refusal than it was. */
const better = (was: Decision, is: Decision): boolean =>
  is.decision === 'allow' ? was.decision !== 'allow' : is.decision === 'require' && was.decision === 'deny';

/** For each policy that decided, the first change after which it did not; all of them at once. */
function together(tool: ToolLaw, facts: CallFacts, was: Decision, attempts: readonly Attempt[], judge: (facts: CallFacts) => Decision | null): Change[] {
  const chosen = was.policies.map(({ id }) => attempts.find(({ decision }) => !decision.policies.some((policy) => policy.id === id) && !failed(decision)));
  const steps = [...new Set(chosen)].filter((step) => step !== undefined);
  if (steps.length < 2 || chosen.includes(undefined)) return [];
  const changed = steps.reduce<CallFacts | null>((so, { path, to }) => (so ? (factAt(tool, so, path)?.with(to) ?? null) : null), facts);
  const turned = changed ? judge(changed) : null;
  return turned && better(was, turned)
    ? [
        changeOf(
          steps.map(({ change }) => change),
          turned,
        ),
      ]
    : [];
}

const failed = (decision: Decision): boolean => decision.decision === 'deny' && (decision.cause === 'error' || decision.cause === 'unrepresentable');

function changeOf(facts: readonly FactChange[], { decision, ...rest }: Decision): Change {
  return { facts, decision, requirements: 'requirements' in rest ? rest.requirements.map(({ literal }) => literal) : [] };
}

/** Facts in the order of the policies' text; of each, the nearest state first. What is satisfied is tried as a whole, before. */
function* candidates(tool: ToolLaw, facts: CallFacts, policies: readonly ParsedPolicy[]) {
  const compared = comparedIn(tool.policies);
  const paths = new Map(policies.flatMap(({ reads }) => reads.map(({ path }) => [path.join('.'), path] as const)));
  for (const [name, path] of paths) {
    const fact = factAt(tool, facts, path);
    if (!fact || name === 'context.satisfied') continue;
    const literals = compared.get(name) ?? { literals: [], paths: [] };
    for (const to of statesOf(fact, literals, (other) => factAt(tool, facts, other)?.value)) {
      if (written(to) !== written(fact.value)) yield { path, to, change: { fact: name, from: written(fact.value), to: written(to) } };
    }
  }
}

function statesOf(fact: Fact, { literals, paths }: Compared, valueAt: (path: readonly string[]) => unknown): readonly unknown[] {
  if (fact.states) {
    const { states } = fact;
    const far = (state: unknown): number => Math.abs(states.indexOf(state) - states.indexOf(fact.value));
    return states.toSorted((a, b) => far(a) - far(b));
  }
  const absent = fact.path.startsWith('context.args.') || fact.path.startsWith('context.inputs.') ? [undefined] : [];
  switch (fact.kind) {
    case 'number': {
      const named = [...literals, ...paths.map(valueAt)].filter((value) => typeof value === 'number');
      const values = named.flatMap((value) => [
        value,
        value - 1,
        value + 1,
        ...(Number.isInteger(fact.value ?? 0) ? [] : [tenThousandths(value, -1), tenThousandths(value, 1)]),
      ]);
      const from = typeof fact.value === 'number' ? fact.value : 0;
      return [...values.sort((a, b) => Math.abs(a - from) - Math.abs(b - from)), ...absent];
    }
    case 'set': {
      const has = Array.isArray(fact.value) ? (fact.value as unknown[]) : [];
      const named = [...new Set(literals.filter((value) => !has.includes(value)))];
      return [
        ...named.map((one) => [...has, one]),
        ...has.map((one) => has.filter((other) => other !== one)),
        ...(named.length > 1 ? [[...has, ...named]] : []),
      ];
    }
    case 'one':
      return [...literals, ...paths.map(valueAt)].filter((value) => typeof value === 'string').concat(absent as never[]);
  }
}

const tenThousandths = (value: number, more: 1 | -1): number => (Math.round(value * 10_000) + more) / 10_000;

/** All literals that hold when a requirement does. */
function votesFor({ literal }: { readonly literal: string }): string[] {
  const asked = parseRequirement(literal);
  if (asked?.kind === 'approval') return satisfiedBy(asked.group, asked.count, asked.passkey ? asked.count : 0);
  return asked?.kind === 'confirm' ? ['confirm:sponsor', literal] : [literal];
}

export const written = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
