import type { Client, ClientConfig, Pool, PoolClient } from 'pg';
import { StoreUnavailable } from '../store.ts';
import { failureOf } from './failures.ts';
import { type Migrated, tooNew } from './migrate.ts';
import { schema } from './schema.ts';

/** In milliseconds. A verb that cannot be done in these is refused: nobody is kept waiting for a store that hangs. */
const connectMs = 3000;
const lockMs = 2000;
const statementMs = 5000;
/** By our own clock, for a server that no longer answers at all. */
const answerMs = 6000;
const idleInTransactionMs = 10_000;
const connections = 10;

const int8 = 20;
const bytea = 17;

/** BIGINT as a number, refused when it would not be exact; BYTEA as bytes of their own; the rest as the driver reads it. */
type Parser = (value: string) => unknown;
function exactly(value: string): number {
  const parsed = Number(value);
  if (!Number.isSafeInteger(parsed)) throw new Error('a number in the store that is no whole number here');
  return parsed;
}

export interface Driver {
  /** `patient`: without limits on how long a statement may take, for whole copies. */
  openClient(patience?: 'patient'): Promise<Client>;
  /** `openClient`, held to what every connection of the pool is held to. */
  openPrepared(migrated: Migrated): Promise<Client>;
  openPool(migrated: Migrated): Pool;
}

/** The driver is loaded only where there is a PostgreSQL to speak to. Throws `StoreUnavailable` for what is no address, without showing it. */
export async function loadDriver(url: string): Promise<Driver> {
  const { default: pg } = await import('pg');
  if (!isAddress(url)) throw new StoreUnavailable("the store's address is not postgres://[user[:password]@]host[:port]/database");
  const readBytes = pg.types.getTypeParser(bytea, 'text') as (value: string) => Buffer;
  const parsers = new Map<number, Parser>([
    [int8, exactly],
    [bytea, (value) => new Uint8Array(readBytes(value))],
  ]);
  const getTypeParser = (oid: number, format?: 'text' | 'binary') => parsers.get(oid) ?? pg.types.getTypeParser(oid, format as 'text');
  const config: ClientConfig & { connectionTimeoutMillis: number } = {
    connectionString: url,
    application_name: `taskgate/${schema.steps.length}`,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    query_timeout: answerMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    pipeline: true,
    types: { getTypeParser: getTypeParser as typeof pg.types.getTypeParser },
  };
  const openClient = async (patience?: 'patient'): Promise<Client> => {
    const client = new pg.Client(patience ? { ...config, statement_timeout: 0, query_timeout: 0, idle_in_transaction_session_timeout: 0 } : config);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  return {
    openClient,
    async openPrepared(migrated) {
      const client = await openClient();
      try {
        await prepareSession(client, migrated);
        return client;
      } catch (error) {
        await client.end();
        throw error;
      }
    },
    openPool(migrated) {
      const pool = new pg.Pool({ ...config, max: connections, onConnect: (client) => prepareSession(client as Client, migrated) });
      // An idle connection that breaks is gone from the pool; the next verb opens another.
      pool.on('error', () => undefined);
      return pool;
    },
  };
}

function isAddress(url: string): boolean {
  return /^postgres(ql)?:\/\//.test(url) && URL.canParse(url);
}

/** What each new connection runs under: the broker's role where there is one, and only in the store this process opened. */
async function prepareSession(client: Client, { store, role, version }: Migrated): Promise<void> {
  // Also while a verb has it: that one learns of the loss from its own statement.
  client.on('error', () => undefined);
  if (role !== null) await client.query(`SET ROLE ${client.escapeIdentifier(role)}`);
  await client.query(`
    SET search_path = taskgate;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';`);
  const { rows } = await client.query<{ store: string; version: number; oldest: number }>('SELECT store, version, oldest FROM meta, compatibility');
  const [meta] = rows;
  if (meta && meta.oldest > version) throw tooNew(meta.version, version);
  if (meta?.store !== store) throw new StoreUnavailable('another store stands at this address; start Taskgate anew to use it');
}

export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    const failure = failureOf(error);
    throw failure instanceof StoreUnavailable ? failure : new StoreUnavailable(`the store cannot be reached: ${failure.message}`);
  }
}
