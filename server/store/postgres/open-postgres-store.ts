import { randomBytes } from 'node:crypto';
import { createStore } from '../create-store.ts';
import { type Store, StoreUnavailable } from '../store.ts';
import { createPostgresEngine } from './engine.ts';
import { failureOf } from './failures.ts';
import { listenOn } from './listen.ts';
import { type Migrated, migrate } from './migrate.ts';
import { type Driver, loadDriver } from './pool.ts';

/**
 * The store in the schema `taskgate` of a PostgreSQL database (15 or later), made when there is none; any number of processes may share
 * it. `clock` says (epoch milliseconds) what has expired where a verb is not told the time. Rejects with `StoreUnavailable` when the
 * database cannot be used, and goes on by itself after an outage.
 */
export async function openPostgresStore({ url, clock }: { url: string; clock: () => number }): Promise<Store> {
  const driver = await loadDriver(url);
  const migrated = await migrateAtStart(driver);
  const here = randomBytes(9).toString('base64url');
  const engine = createPostgresEngine(driver.openPool(migrated), here, (hear) => listenOn(() => driver.openPrepared(migrated), here, hear));
  return createStore(engine, clock);
}

async function migrateAtStart(driver: Driver): Promise<Migrated> {
  try {
    const client = await driver.openClient();
    try {
      return await migrate(client);
    } finally {
      await client.end();
    }
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    throw new StoreUnavailable(`the store cannot be opened: ${failureOf(error).message}`);
  }
}
