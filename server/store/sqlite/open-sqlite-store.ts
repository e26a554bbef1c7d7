import { createStore } from '../create-store.ts';
import type { Written } from '../engine.ts';
import { type Change, createSignals } from '../signals.ts';
import type { Store } from '../store.ts';
import { Undo, type Verb } from '../verb.ts';
import { openConnection } from './connection.ts';
import { perform } from './sql.ts';
import { watchFile } from './watch-file.ts';

/**
 * The store in one SQLite file, made with mode 0600 when there is none. Several processes of one host may share it. `clock` says
 * (epoch milliseconds) what has expired where a verb is not told the time. Rejects with `StoreUnavailable` when the file cannot be used.
 */
export async function openSqliteStore({ path, clock }: { path: string; clock: () => number }): Promise<Store> {
  const connection = await openConnection(path);
  const watch = watchFile(connection.othersVersion, () => signals.emit([{ kind: 'resync' }]));
  const signals = createSignals((attended) => (attended ? watch.start() : watch.stop()));

  async function write<T>(verb: () => Verb<T>): Promise<Written<T>> {
    const told: Change[] = [];
    const written = await connection.write((ask) => {
      try {
        return perform(ask, verb(), told);
      } catch (error) {
        // What is taken back has not happened.
        if (error instanceof Undo) told.length = 0;
        throw error;
      }
    });
    const durable = written.durable.then(() => signals.emit(told));
    // Whoever awaits it still learns of the loss; who does not must not bring the process down.
    durable.catch(() => undefined);
    return { answer: written.answer, durable };
  }

  async function commit<T>(verb: () => Verb<T>): Promise<T> {
    const { answer, durable } = await write(verb);
    await durable;
    return answer;
  }

  const read = <T>(verb: () => Verb<T>): Promise<T> => connection.read((ask) => perform(ask, verb()));

  return createStore(
    {
      // An empty transaction is still written: only that shows that the disk takes it.
      check: () => connection.commit(() => undefined),
      close() {
        watch.stop();
        return connection.close();
      },
      write: (_, verb) => write(verb),
      commit: (_, verb) => commit(verb),
      read: (_, verb) => read(verb),
      readOnce: (_, verb) => read(verb),
      peek: (_, verb) => connection.peek((ask) => perform(ask, verb())),
      subscribe: signals.subscribe,
    },
    clock,
  );
}
