import type { Written } from '../engine.ts';
import { Undo } from '../verb.ts';
import { classify } from './failures.ts';
import type { OpenFile } from './file.ts';
import { unknown } from './memory.ts';
import type { Ask } from './sql.ts';

/** How long a verb waits for another process to let the file go, in milliseconds. */
export const patienceMs = 2000;

/** A verb, for whoever answers what it asks. */
export type Work<T> = (ask: Ask) => T;

/** A verb on its way: run once in a transaction, then told whether that was committed. */
export interface Pending {
  readonly deadline: number;
  /** Throws only what spoils the whole transaction; a verb's own fault rejects that verb alone. */
  run(file: OpenFile): void;
  committed(): void;
  failed(error: unknown): void;
}

export function pendingOf<T>(verb: Work<T>, resolve: (written: Written<T>) => void, reject: (error: unknown) => void): Pending {
  const { promise: durable, resolve: committed, reject: lost } = Promise.withResolvers<void>();
  // Whoever awaits it still learns of the loss; who does not must not bring the process down.
  durable.catch(() => undefined);
  return {
    deadline: performance.now() + patienceMs,
    run({ writer, memory }) {
      writer.run('SAVEPOINT verb');
      memory.begin();
      let answer: T;
      try {
        answer = verb(memory.answer);
      } catch (error) {
        if (classify(error) !== 'fault') throw error;
        writer.run('ROLLBACK TO verb');
        writer.run('RELEASE verb');
        memory.takeBack();
        if (error instanceof Undo) resolve({ answer: error.answer as T, durable });
        else reject(error);
        return;
      }
      writer.run('RELEASE verb');
      resolve({ answer, durable });
    },
    committed,
    failed(error) {
      reject(error);
      lost(error);
    },
  };
}

export function fail(pending: readonly Pending[], error: unknown): void {
  for (const one of pending) one.failed(error);
}

/** Runs a verb with somebody who cannot answer everything: `unknown` as soon as there is one such thing. */
export function attempt<T>(verb: Work<T>, look: Ask): T | typeof unknown {
  try {
    return verb((query) => {
      const answer = look(query);
      if (answer === unknown) throw new NotKnown();
      return answer;
    });
  } catch (error) {
    if (error instanceof NotKnown) return unknown;
    throw error;
  }
}

class NotKnown extends Error {}
