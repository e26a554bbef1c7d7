import type { Ports } from '../ports.ts';
import { type Judgement, judge } from './judge.ts';
import { isRefusal } from './refusals.ts';

/** What a call runs under instead of people's approval: two of them opened its tool to its session for a while. */
export interface BreakGlass {
  readonly id: string;
  readonly calls: number;
  /** Whole ten-thousandths. */
  readonly amount: number;
  readonly satisfied: readonly { readonly literal: string; readonly source: 'break_glass'; readonly persons: readonly string[] }[];
}

/**
 * The call judged again with what break-glass satisfies for it; null when none is active for its session and tool, it has too little
 * left, or something else is asked beside what it may lift: then people are asked for all of it. Only looked for when a forbid that is
 * marked for it has bitten. What it has left is looked at here and taken by the claim.
 */
export async function liftByBreakGlass(
  ports: Pick<Ports, 'store' | 'clock'>,
  { decision, tool }: Judgement,
): Promise<{ judgement: Judgement; breakGlass: BreakGlass } | null> {
  if (decision.decision !== 'require' || decision.breakGlass === undefined) return null;
  const { row } = tool.session;
  const active = await ports.store.activeBreakGlass(row.tenant, row.id, ports.clock());
  if (!active?.confirmer || !active.terms.tools.includes(tool.tool.name)) return null;
  const { id, terms, used, confirmer } = active;
  if (used.calls + 1 > terms.calls || used.amount + tool.amount > terms.amount) return null;
  const persons = [terms.initiator.person, confirmer.person];
  const judgement = judge(tool, decision.breakGlass);
  if (isRefusal(judgement) || judgement.decision.decision !== 'allow') return null;
  const satisfied = decision.breakGlass.map((literal) => ({ literal, source: 'break_glass' as const, persons }));
  return { judgement, breakGlass: { id, calls: terms.calls, amount: terms.amount, satisfied } };
}
