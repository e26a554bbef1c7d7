import { rank, type Sensitivity } from '../../policies/index.ts';
import { tenThousandths } from '../../tools/index.ts';
import { type Refusal, refuse } from '../call/refusals.ts';
import { endOfDay, seconds } from '../documents/durations.ts';
import type { UseCaseDocument } from '../documents/kinds.ts';
import type { Budget, SessionRow } from '../store/store.ts';
import type { Template } from './check-standing.ts';
import { least } from './narrow-grants.ts';

export interface Bounds {
  readonly ceiling: Sensitivity;
  readonly budget: Budget;
  /** Epoch milliseconds, whole seconds. */
  readonly expiresAt: number;
}

/** Ceiling, budget and end of a session: each the least of what agent, use case, request and parent allow. */
export function boundSession(
  { agent, useCase }: Pick<Template, 'agent' | 'useCase'>,
  asked: { readonly lifetime: number | null; readonly at: number },
  parent: SessionRow | null,
): Bounds | Refusal {
  const own = budgetOf(useCase);
  const longest = seconds(useCase.lifetime.longest) * 1000;
  const lifetime = Math.min(asked.lifetime === null ? seconds(useCase.lifetime.default) * 1000 : asked.lifetime * 1000, longest);
  const end = Math.min(asked.at + lifetime, endOfDay(agent.expires), endOfDay(useCase.expires), parent?.expiresAt ?? Number.POSITIVE_INFINITY);
  const expiresAt = Math.floor(end / 1000) * 1000;
  if (expiresAt <= asked.at) return refuse('session.refused', 'This task would have no time left.');
  const ceiling = [agent.clearance, useCase.ceiling, ...(parent ? [parent.ceiling] : [])].reduce((low, one) => (rank(one) < rank(low) ? one : low));
  return { ceiling, budget: parent ? leastBudget(own, parent.budget) : own, expiresAt };
}

/** What a task opened at `at` with nothing else asked for would be bounded by. */
export const boundsNow = (of: Pick<Template, 'agent' | 'useCase'>, at: number): Bounds | Refusal => boundSession(of, { lifetime: null, at }, null);

/** What the use case's document allows, in the store's units. */
export function budgetOf({ budget }: Pick<UseCaseDocument, 'budget'>): Budget {
  return { calls: budget.calls, amount: counted(budget.amount), perDay: { calls: budget.per_day?.calls ?? null, amount: counted(budget.per_day?.amount) } };
}

/** In whole ten-thousandths; `null` is no limit. INVARIANT: a use case's schema takes only amounts that convert exactly. */
function counted(amount: number | undefined): number | null {
  if (amount === undefined) return null;
  const whole = tenThousandths(amount);
  if (whole === null) throw new Error('a budget that cannot be counted exactly');
  return whole;
}

function leastBudget(a: Budget, b: Budget): Budget {
  return {
    calls: Math.min(a.calls, b.calls),
    amount: least(a.amount, b.amount),
    perDay: { calls: least(a.perDay.calls, b.perDay.calls), amount: least(a.perDay.amount, b.perDay.amount) },
  };
}
