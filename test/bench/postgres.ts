import { randomBytes } from 'node:crypto';
import process from 'node:process';
import pg from 'pg';

export interface Database {
  readonly url: string;
  drop(): Promise<void>;
}

/** A database for one run, gone with the role that the store makes for itself; null where there is no PostgreSQL. */
export async function makeDatabase(): Promise<Database | null> {
  const server = new URL(process.env['TASKGATE_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres');
  const admin = new pg.Client({ connectionString: server.href, connectionTimeoutMillis: 3_000 });
  admin.on('error', () => undefined);
  try {
    await admin.connect();
  } catch {
    await admin.end().catch(() => undefined);
    return null;
  }
  const name = `taskgate_bench_${randomBytes(6).toString('hex')}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.query(`DROP ROLE IF EXISTS ${name}_broker`);
      await admin.end();
    },
  };
}
