import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, describe } from 'vitest';
import { openStore, type Store } from '../../server/store/index.ts';
import { start } from '../contract/samples.ts';

/** The server tests use; it must be there with `CI=true`, elsewhere its absence is said aloud and the tests are skipped. */
const server = process.env['TASKGATE_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** A database of its own for one test file, and the login that made it, who may do anything. */
export interface Database {
  readonly name: string;
  readonly url: string;
  /** The role the store makes for itself. */
  readonly role: string;
  /** On a connection that stays open to the end of the file. */
  admin(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Another connection, of which transactions can be held open. */
  connect(url?: string): Promise<pg.Client>;
  /** As if the store had never been; the database stays. */
  wipe(): Promise<void>;
  open(clock?: () => number, url?: string): Promise<Store>;
}

async function reach(url: string): Promise<pg.Client | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    if (process.env['CI'] === 'true') throw new Error(`CI needs a PostgreSQL at TASKGATE_TEST_POSTGRES (${url})`, { cause: error });
    return null;
  }
}

/** Makes the database before the tests that `define` defines, and drops it, with the role, after them. */
export async function describeOnPostgres(define: (database: Database) => void): Promise<void> {
  const outer = await reach(server);
  if (!outer) {
    process.stderr.write(`skipped: no PostgreSQL at ${server} (TASKGATE_TEST_POSTGRES)\n`);
    describe.skip(`on PostgreSQL: skipped, there is none at ${server}`, () => undefined);
    return;
  }
  const name = `taskgate_test_${randomBytes(6).toString('hex')}`;
  const role = `${name}_broker`;
  const url = withDatabase(server, name);
  await outer.query(`CREATE DATABASE ${name}`);
  const inner = await reach(url);
  if (!inner) throw new Error('the database just made cannot be reached');
  const clients: pg.Client[] = [inner];
  const stores: Store[] = [];

  afterAll(async () => {
    for (const store of stores) await store.close();
    for (const client of clients) await client.end().catch(() => undefined);
    await outer.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await outer.query(`DROP ROLE IF EXISTS ${role}`);
    await outer.end();
  });

  define({
    name,
    url,
    role,
    admin: async (text, values) => (await inner.query(text, values)).rows as Record<string, unknown>[],
    async connect(other = url) {
      const client = await reach(other);
      if (!client) throw new Error(`not reached: ${other}`);
      clients.push(client);
      return client;
    },
    async wipe() {
      for (const store of stores.splice(0)) await store.close();
      await inner.query('DROP SCHEMA IF EXISTS taskgate CASCADE');
    },
    async open(clock = () => start, other = url) {
      const store = await openStore(other, clock);
      stores.push(store);
      return store;
    },
  });
}

export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
