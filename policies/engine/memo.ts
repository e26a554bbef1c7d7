import { hash } from 'node:crypto';

/** Answers the engine gave under one law, by exactly what that law can read of a question. */
export interface Memo {
  /** What was answered to an equal question before; else asks, and keeps the answer when `lasts` says so. */
  answer<T extends object>(set: string, question: string, ask: () => T, lasts: (answer: T) => boolean): T;
}

/** Entries of one law; the oldest make room. */
const most = 2_048;

/**
 * A law never changes, so an answer stands until the law is replaced. Two questions are equal when they are so to the letter: they
 * hold what the slice reads and no more, so what differs and is not here cannot matter.
 */
export function createMemo(): Memo {
  const answers = new Map<string, object>();
  return {
    answer<T extends object>(set: string, question: string, ask: () => T, lasts: (answer: T) => boolean): T {
      // Hashed: arguments that policy reads must not lie about in memory as keys.
      const key = hash('sha256', `${set}${question}`);
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
