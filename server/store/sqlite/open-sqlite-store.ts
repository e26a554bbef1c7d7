import { createStore } from '../create-store.ts';
import type { Store } from '../store.ts';
import { openConnection } from './connection.ts';
import { perform } from './sql.ts';

/**
 * The store in one SQLite file, made with mode 0600 when there is none. Several processes of one host may share it. `clock` says
 * (epoch milliseconds) what has expired where a verb is not told the time. Rejects with `StoreUnavailable` when the file cannot be used.
 */
export async function openSqliteStore({ path, clock }: { path: string; clock: () => number }): Promise<Store> {
  const { commit, write, read, close } = await openConnection(path);
  return createStore(
    {
      // An empty transaction is still written: only that shows that the disk takes it.
      check: () => commit(() => undefined),
      close,
      write: (_, verb) => write((sql) => perform(sql, verb())),
      commit: (_, verb) => commit((sql) => perform(sql, verb())),
      read: (_, verb) => read((sql) => perform(sql, verb())),
    },
    clock,
  );
}
