import type { CallFacts } from '../facts.ts';
import { covers } from '../requirements.ts';
import type { Decision, DeterminingPolicy, Requirement } from '../vocabulary.ts';
import { type Answer, ask } from './cedar.ts';
import { type Law, sets, type ToolLaw } from './law.ts';
import type { ParsedPolicy } from './parse-policies.ts';
import { project, reservedKey, Unrepresentable } from './project.ts';
import { buildRequest, type Projected, type Question, questionOf } from './request.ts';

type Denial = Extract<Decision, { decision: 'deny' }>;

const deny = (cause: Denial['cause'], policies: readonly DeterminingPolicy[], detail: string | null): Denial => ({ decision: 'deny', cause, policies, detail });

/** Judges one call. What cannot be judged is denied, whatever the reason. */
export function decide(law: Law, facts: CallFacts): Decision {
  try {
    return judge(law, facts);
  } catch (error) {
    if (error instanceof Unrepresentable) return deny('unrepresentable', [], error.message);
    return deny('error', [], error instanceof Error ? error.message : 'The policy engine failed');
  }
}

function judge(law: Law, facts: CallFacts): Decision {
  const tool = toolOf(law, facts);
  const reserved = reservedKey(facts.args) ?? reservedKey(facts.inputs);
  if (reserved !== null) throw new Unrepresentable(`a key starts with \`__\`: ${reserved}`);
  const projected: Projected = {
    args: project(facts.args, tool.args.type, tool.args.reads, 'context.args'),
    inputs: project(facts.inputs, tool.inputs.type, tool.inputs.reads, 'context.inputs'),
    satisfied: facts.satisfied,
  };

  const question = questionOf(law.tenant, facts, projected, tool.slice);
  // An engine that failed may not fail again.
  const lasts = (decision: Decision): boolean => decision.decision !== 'deny' || decision.cause !== 'error';
  return law.memo.answer<Decision>(sets.call, question.text, () => judgeTwice(law, tool, facts, projected, question), lasts);
}

function judgeTwice(law: Law, tool: ToolLaw, facts: CallFacts, projected: Projected, question: Question): Decision {
  const first = ask(tool.prepared, sets.call, question.request());
  if (first.errors.length > 0) return deny('error', named(law, first.reasons), inOrder(first.errors));
  if (first.allowed) return { decision: 'allow', policies: named(law, first.reasons) };
  if (first.reasons.length === 0) return deny('no_permit', [], null);

  const forbids = first.reasons.map((id) => law.policies.get(id));
  const absolute = first.reasons.filter((_, index) => !forbids[index]?.requirement);
  if (absolute.length > 0) return deny('forbidden', named(law, absolute), null);

  // Every forbid that bit can be lifted: would the call run if they were? If not, no human is asked.
  const asked = forbids.flatMap((policy) => policy?.requirement ?? []);
  const satisfied = [...new Set([...facts.satisfied, ...asked.map(({ literal }) => literal)])];
  const second = ask(tool.prepared, sets.call, buildRequest(law.tenant, facts, { ...projected, satisfied }, tool.slice));
  if (second.errors.length > 0) return deny('error', named(law, second.reasons), inOrder(second.errors));
  if (!second.allowed) return deny(second.reasons.length > 0 ? 'forbidden' : 'no_permit', named(law, second.reasons), null);

  const waits = forbids.flatMap((policy) => policy?.expiresIn ?? []);
  return {
    decision: 'require',
    requirements: strongest(asked),
    policies: named(law, first.reasons),
    expiresIn: waits.length > 0 ? Math.min(...waits) : null,
    ...liftable(forbids),
    exactOnly:
      tool.tool.effect === 'destructive'
        ? distinct(forbids.flatMap((policy) => (policy?.requirement && !policy.acceptsStanding ? [policy.requirement.literal] : [])))
        : [],
  };
}

/** Could any arguments make this call run or wait? Errors favour yes: the call itself will be judged anyway. */
export function listable(law: Law, facts: Omit<CallFacts, 'args' | 'satisfied'>): boolean {
  try {
    const tool = toolOf(law, facts);
    const question = questionOf(law.tenant, facts, beforeArguments(law, tool, facts.inputs), tool.slice);
    const lasts = ({ errors }: Answer): boolean => errors.length === 0;
    const answer = law.memo.answer(sets.list, question.text, () => ask(tool.prepared, sets.list, question.request()), lasts);
    return answer.allowed || (answer.errors.length > 0 && answer.reasons.length === 0);
  } catch {
    return false;
  }
}

function beforeArguments(law: Law, tool: ToolLaw, inputs: CallFacts['inputs']): Projected {
  return {
    args: tool.sample,
    inputs: project(inputs, tool.inputs.type, tool.inputs.reads, 'context.inputs'),
    satisfied: law.literals,
  };
}

function toolOf(law: Law, { tenant, tool }: Pick<CallFacts, 'tenant' | 'tool'>): ToolLaw {
  if (tenant !== law.tenant) throw new Error(`A call of another tenant was brought before the law of ${law.tenant}`);
  const known = law.tools.get(tool.name);
  if (!known || known.tool.upstream !== tool.upstream) throw new Error(`The law of ${law.tenant} does not know the tool ${tool.name}`);
  return known;
}

/** The engine tells policies in no order of its own. */
const distinct = (literals: readonly string[]): string[] => [...new Set(literals)].sort();

/** Nor errors. */
const inOrder = (errors: Answer['errors']): string => [...errors].sort().join('; ');

function named(law: Law, ids: Answer['reasons']): DeterminingPolicy[] {
  return [...ids].sort().map((id) => ({ id, reason: law.policies.get(id)?.reason ?? null }));
}

/** INVARIANT: a literal that one unmarked forbid asks for is not among them, for adding it would lift that forbid too. */
function liftable(forbids: readonly (ParsedPolicy | undefined)[]): { readonly breakGlass?: readonly string[] } {
  const unmarked = new Set(forbids.flatMap((one) => (one?.breakGlass ? [] : (one?.requirement?.literal ?? []))));
  const marked = forbids.flatMap((one) => (one?.breakGlass ? (one.requirement?.literal ?? []) : []));
  const literals = distinct(marked).filter((literal) => !unmarked.has(literal));
  return literals.length > 0 ? { breakGlass: literals } : {};
}

/** Each requirement once; `approval:g` is dropped beside `approval:g:2` or `approval:g:passkey`, whose votes satisfy it as well. */
function strongest(asked: readonly Requirement[]): Requirement[] {
  const different = [...new Map(asked.map((one) => [one.literal, one])).values()];
  const implied = (weak: Requirement) => different.some((strong) => strong !== weak && covers(strong, weak));
  return different.filter((one) => !implied(one)).sort((a, b) => (a.literal < b.literal ? -1 : 1));
}
