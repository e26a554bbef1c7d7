import type { DecisionRow } from '../../store/index.ts';

/** The decisions that share a name: a reviewer's, or those about a tool. */
export interface Half {
  readonly name: string;
  readonly count: number;
  /** Part of them that approved. */
  readonly approved: number;
  /** Seconds. */
  readonly median: number;
}

/** Seconds from when the person was shown it, or from when it was asked where the console did not show it. */
export const tookOf = ({ at, askedAt, shownAt }: Pick<DecisionRow, 'at' | 'askedAt' | 'shownAt'>): number => Math.max(0, at - (shownAt ?? askedAt)) / 1000;

export function measureDecisions(decisions: readonly DecisionRow[], by: (one: DecisionRow) => string): Half[] {
  const groups = Map.groupBy(decisions, by);
  return [...groups]
    .map(([name, all]) => ({
      name,
      count: all.length,
      approved: all.filter(({ decision }) => decision === 'approve').length / all.length,
      median: medianOf(all.map(tookOf)),
    }))
    .sort((a, b) => b.count - a.count || a.name.localeCompare(b.name));
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** With fewer, a few quick ones say nothing. */
const enough = 10;

/** Who approves nearly everything faster than it can be read. */
export const rubberStamps = (reviewers: readonly Half[]): Half[] =>
  reviewers.filter(({ count, approved, median }) => count >= enough && approved > 0.95 && median < 3);
