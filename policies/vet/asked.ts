import process from 'node:process';
import type { Said } from './question.ts';

/** The side of whoever is thrown away. Ends with the process that asks. */

/** The one question. */
export const asked = <Q>(): Promise<Q> => new Promise((resolve) => process.once('message', (question) => resolve(question as Q)));

export const say = <T>(said: Said<T>): boolean | undefined => process.send?.(said);

process.once('disconnect', () => process.exit());
process.once('uncaughtException', (error) => process.send?.({ failed: error.message } satisfies Said<never>, () => process.exit(1)));
