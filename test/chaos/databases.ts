import { randomBytes } from 'node:crypto';
import pg from 'pg';

const server = process.env['TASKGATE_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** A PostgreSQL database of its own. Rejects with words when there is no server. */
export async function makeDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `taskgate_chaos_${randomBytes(6).toString('hex')}`;
  await ask(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await ask(`DROP DATABASE ${name} WITH (FORCE)`);
      await ask(`DROP ROLE IF EXISTS ${name}_broker`);
    },
  };
}

async function ask(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 3_000 });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
