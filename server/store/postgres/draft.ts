import type { Client } from 'pg';
import { type Draft, type DraftOptions, PlaceTaken } from '../copy.ts';
import { StoreUnavailable } from '../store.ts';
import { failureOf } from './failures.ts';
import { fence } from './fence.ts';
import { createLink, perform } from './link.ts';
import { brokerRole, lockSchema, readMeta, takeSteps } from './migrate.ts';
import { loadDriver } from './pool.ts';
import { schema as ours } from './schema.ts';

/** No broker is connected, so nobody hears what is signalled. */
const nobody = '';

/** Fills a new schema `taskgate` in one transaction. Rejects with `PlaceTaken` when brokers are connected, or the store that is there is not empty and may not be replaced. */
export async function openPostgresDraft(url: string, { version, replace, suffix }: DraftOptions): Promise<Draft> {
  const client = await (await loadDriver(url)).openClient('patient').catch((error: unknown) => {
    throw failureOf(error);
  });
  const abandon = async (): Promise<void> => client.end();
  try {
    await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '10s'`);
    await client.query(lockSchema);
    const standing = await examine(client);
    const kept = standing !== null && !standing.empty ? `taskgate_${suffix.replaceAll(/[^a-z0-9]/g, '_')}` : null;
    if (kept !== null && !replace)
      throw new PlaceTaken('the store is not empty', 'restore to another database, or add --replace: the schema that is there is kept under another name');
    if (kept !== null) await client.query(`ALTER SCHEMA taskgate RENAME TO ${client.escapeIdentifier(kept)}`);
    else if (standing !== null) await client.query('DROP SCHEMA taskgate CASCADE');
    await takeSteps(client, 0, ours, version);
    const references = await dropReferences(client);
    return {
      replacedEpoch: standing?.epoch ?? null,
      async insert({ name, columns }, rows) {
        if (rows.length === 0) return;
        let count = 0;
        const tuples = rows.map((row) => `(${row.map(() => `$${++count}`).join(', ')})`);
        await client.query(`INSERT INTO ${name} (${columns.map((column) => `"${column}"`).join(', ')}) VALUES ${tuples.join(', ')}`, rows.flat());
      },
      async finish({ store, epoch, epochAt }, verb) {
        for (const reference of references) await client.query(reference);
        await takeSteps(client, version, ours);
        await client.query('UPDATE meta SET store = $1, epoch = $2, epoch_at = $3', [store, epoch, epochAt]);
        const answer = await perform(createLink(client, nobody), verb());
        await client.query(fence);
        await brokerRole(client, true);
        const { command } = await client.query('COMMIT');
        if (command !== 'COMMIT') throw new StoreUnavailable('the store took the transaction back');
        await client.end();
        return { answer, kept };
      },
      abandon,
    };
  } catch (error) {
    await abandon();
    throw error instanceof StoreUnavailable || error instanceof PlaceTaken ? error : failureOf(error);
  }
}

async function examine(client: Client): Promise<{ empty: boolean; epoch: number } | null> {
  const { rows } = await client.query<{ there: boolean }>(`SELECT to_regnamespace('taskgate') IS NOT NULL AS there`);
  if (!rows[0]?.there) return null;
  const meta = await readMeta(client);
  if (!meta) throw new PlaceTaken('the database has a schema taskgate that is no store', 'restore to another database');
  const connected = await client.query(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'taskgate/%' AND pid <> pg_backend_pid() LIMIT 1`,
  );
  if (connected.rowCount !== 0) throw new PlaceTaken('a broker is connected to the store', 'stop all of them first');
  // INVARIANT: nobody writes from here on to the end of the transaction.
  await client.query('LOCK TABLE taskgate.meta, taskgate.chain_heads, taskgate.records, taskgate.secrets IN ACCESS EXCLUSIVE MODE');
  // Sizes, not rows: row-level security does not hide them.
  const sizes = await client.query<{ bytes: number }>(
    `SELECT sum(pg_relation_size(oid))::bigint AS bytes FROM pg_class WHERE relnamespace = 'taskgate'::regnamespace AND relkind = 'r' AND relname NOT IN ('meta', 'compatibility')`,
  );
  const epoch = meta.version < 2 ? 1 : ((await client.query<{ epoch: number }>('SELECT epoch FROM taskgate.meta')).rows[0]?.epoch ?? 1);
  return { empty: sizes.rows[0]?.bytes === 0, epoch };
}

/** A row may refer to one that comes later in its own table: references are checked once all rows are there. Answers how each is made again. */
async function dropReferences(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ at: string; name: string; definition: string }>(
    `SELECT conrelid::regclass::text AS at, conname AS name, pg_get_constraintdef(oid) AS definition
     FROM pg_constraint WHERE contype = 'f' AND connamespace = 'taskgate'::regnamespace`,
  );
  for (const { at, name } of rows) await client.query(`ALTER TABLE ${at} DROP CONSTRAINT ${client.escapeIdentifier(name)}`);
  return rows.map(({ at, name, definition }) => `ALTER TABLE ${at} ADD CONSTRAINT ${client.escapeIdentifier(name)} ${definition}`);
}
