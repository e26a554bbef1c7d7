import { tenThousandths } from '../../tools/index.ts';
import { type Refusal, refuse } from '../call/refusals.ts';
import { endOfDay, seconds } from '../documents/durations.ts';
import type { AgentDocument, UseCaseDocument } from '../documents/kinds.ts';
import { budgetOf, narrowGrants } from '../sessions/index.ts';
import type { Budget, SessionGrant, SessionRow } from '../store/store.ts';
import type { ExtensionAsked, ExtensionContent } from './asked.ts';

/** What bounds a session: the agent, its use case with what it grants now, and the session it draws on. */
export interface Bounds {
  readonly agent: Pick<AgentDocument, 'expires'>;
  readonly useCase: Pick<UseCaseDocument, 'lifetime' | 'budget' | 'expires'>;
  readonly grants: readonly SessionGrant[];
  readonly parent: SessionRow | null;
}
/** What of a session an extension can change. */
export type Extent = Pick<SessionRow, 'expiresAt' | 'budget' | 'grants'>;

const no = (message: string): Refusal => refuse('session.refused', message);

/** The latest end, and the largest budget, that the intersection allows: as at an opening, from when it was opened. */
function mostOf(row: Pick<SessionRow, 'openedAt'>, { agent, useCase, parent }: Bounds): { readonly expiresAt: number; readonly budget: Budget } {
  const end = Math.min(
    row.openedAt + seconds(useCase.lifetime.longest) * 1000,
    endOfDay(agent.expires),
    endOfDay(useCase.expires),
    parent?.expiresAt ?? Number.POSITIVE_INFINITY,
  );
  const own = budgetOf(useCase);
  const least = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b));
  const budget = parent
    ? {
        calls: Math.min(own.calls, parent.budget.calls),
        amount: least(own.amount, parent.budget.amount),
        perDay: { calls: least(own.perDay.calls, parent.budget.perDay.calls), amount: least(own.perDay.amount, parent.budget.perDay.amount) },
      }
    : own;
  return { expiresAt: Math.floor(end / 1000) * 1000, budget };
}

/** What is asked for, as it would stand: more than the intersection allows is refused, never cut, so that people decide what was meant. */
export function contentOf(row: SessionRow, bounds: Bounds, asked: ExtensionAsked): ExtensionContent | Refusal {
  const amount = asked.amount === undefined ? null : tenThousandths(asked.amount);
  if (asked.amount !== undefined && amount === null) return no('An amount has at most four decimals.');
  if (amount !== null && row.budget.amount === null) return no('This task has no limit on amounts.');
  const content: ExtensionContent = {
    ...(asked.minutes === undefined ? {} : { ends_at: new Date(row.expiresAt + asked.minutes * 60_000).toISOString() }),
    ...(asked.calls === undefined ? {} : { calls: row.budget.calls + asked.calls }),
    ...(amount === null ? {} : { amount: ((row.budget.amount ?? 0) + amount) / 10_000 }),
    ...(asked.tools === undefined ? {} : { tools: [...new Set(asked.tools)].sort() }),
    reason: asked.reason,
  };
  const extended = extend(row, bounds, content);
  return 'refused' in extended ? extended : content;
}

/** The session with what was decided, never less than it has and never beyond the intersection as it is now. */
export function extend(row: SessionRow, bounds: Bounds, content: ExtensionContent): Extent | Refusal {
  const most = mostOf(row, bounds);
  const ends = content.ends_at === undefined ? row.expiresAt : Date.parse(content.ends_at);
  if (ends > row.expiresAt && ends > most.expiresAt) return no(`This task can last until ${new Date(most.expiresAt).toISOString()} at the latest.`);
  const { calls = row.budget.calls } = content;
  if (calls > row.budget.calls && calls > most.budget.calls) return no(`This task can have ${most.budget.calls} calls at most.`);
  const amount = content.amount === undefined ? null : tenThousandths(content.amount);
  if (amount !== null && most.budget.amount !== null && amount > (row.budget.amount ?? 0) && amount > most.budget.amount)
    return no(`This task can move amounts of ${most.budget.amount / 10_000} at most.`);
  const had = row.grants;
  const added = (content.tools ?? []).filter((name) => !had.some(({ tool }) => tool === name));
  const more = added.length === 0 ? [] : narrowGrants(bounds.grants, added, bounds.parent?.grants ?? null);
  if ('refused' in more) return more;
  const next: Extent = {
    expiresAt: Math.max(row.expiresAt, ends),
    budget: {
      calls: Math.max(row.budget.calls, calls),
      amount: row.budget.amount === null ? null : Math.max(row.budget.amount, amount ?? 0),
      perDay: row.budget.perDay,
    },
    grants: [...had, ...more],
  };
  const same = next.expiresAt === row.expiresAt && next.budget.calls === row.budget.calls && next.budget.amount === row.budget.amount && more.length === 0;
  return same ? no('The task has all of this already.') : next;
}
