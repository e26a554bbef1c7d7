import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type Store } from '../../server/store/index.ts';
import { describeStore } from '../contract/store.contract.ts';

describeStore('SQLite', async (clock) => {
  const folder = mkdtempSync(join(tmpdir(), 'taskgate-store-'));
  const path = join(folder, 'taskgate.db');
  const opened: Store[] = [];
  const another = async (): Promise<Store> => {
    const store = await openSqliteStore({ path, clock });
    opened.push(store);
    return store;
  };
  return {
    store: await another(),
    another,
    async close() {
      for (const store of opened) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
