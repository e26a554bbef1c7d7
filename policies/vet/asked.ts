import { flushCompileCache } from 'node:module';
import process from 'node:process';
import type { Said } from './question.ts';

/** The side of whoever is thrown away. Ends with the process that asks. */

/** The one question. */
export const asked = <Q>(): Promise<Q> => new Promise((resolve) => process.once('message', (question) => resolve(question as Q)));

export function say<T>(said: Said<T>): void {
  // Whoever has answered is ended at once; what was compiled for it serves the next.
  if ('answer' in said) flushCompileCache();
  process.send?.(said);
}

process.once('disconnect', () => process.exit());
process.once('uncaughtException', (error) => process.send?.({ failed: error.message } satisfies Said<never>, () => process.exit(1)));
