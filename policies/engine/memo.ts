import { hash } from 'node:crypto';
import type { CedarRequest } from './cedar.ts';
import type { ReadTree } from './project.ts';

/** Answers the engine gave under one law, by exactly what that law can read of a request. */
export interface Memo {
  /** What was answered to an equal request before; else asks, and keeps the answer when `lasts` says so. */
  answer<T extends object>(use: string, reads: ReadTree, request: CedarRequest, ask: () => T, lasts: (answer: T) => boolean): T;
}

/** Entries of one law; the oldest make room. */
const most = 2_048;

/**
 * A law never changes, so an answer stands until the law is replaced. Two requests are equal when principal and resource are, with
 * all their attributes, and so is every part of the context that some policy of the slice reads; what nobody reads cannot matter.
 */
export function createMemo(): Memo {
  const answers = new Map<string, object>();
  return {
    answer<T extends object>(use: string, reads: ReadTree, request: CedarRequest, ask: () => T, lasts: (answer: T) => boolean): T {
      // Hashed: arguments that policy reads must not lie about in memory as keys.
      const key = hash('sha256', `${use}${JSON.stringify([request.entities, prune(request.context, reads)])}`);
      const known = answers.get(key);
      if (known) return known as T;
      const answer = ask();
      if (!lasts(answer)) return answer;
      if (answers.size >= most) answers.delete(answers.keys().next().value ?? '');
      answers.set(key, answer);
      return answer;
    },
  };
}

/** The parts of a value that are read; of what is only looked for, whether it is there. */
function prune(value: unknown, { whole, below }: ReadTree): unknown {
  if (whole || typeof value !== 'object' || value === null) return whole ? value : value !== undefined;
  const parts: unknown[] = [];
  for (const [name, tree] of below) parts.push(Object.hasOwn(value, name) ? [prune((value as Record<string, unknown>)[name], tree)] : 0);
  return parts;
}
