import type { Client } from 'pg';
import type { TableShape } from '../copy.ts';
import { type Row, rowsAtOnce, type Snapshot } from '../copy.ts';
import { StoreUnavailable } from '../store.ts';
import { readState } from '../verbs/epochs.ts';
import { failureOf } from './failures.ts';
import { wholeCopy } from './fence.ts';
import { createLink, perform } from './link.ts';
import { readMeta, tooNew } from './migrate.ts';
import { loadDriver } from './pool.ts';
import { schema } from './schema.ts';

/** One snapshot of the database, which never holds up those who write. `shapeOf`: the tables of a schema. Rejects with `StoreUnavailable`. */
export async function openPostgresSnapshot(url: string, shapeOf: (version: number) => readonly TableShape[]): Promise<Snapshot> {
  const client = await (await loadDriver(url)).openClient('patient').catch((error: unknown) => {
    throw failureOf(error);
  });
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const version = (await readMeta(client))?.version ?? 0;
    if (version === 0) throw new StoreUnavailable('there is no store at this address');
    if (version > schema.steps.length) throw tooNew(version, schema.steps.length);
    if (version < schema.steps.length) throw new StoreUnavailable(`the store has an older schema (${version}): start Taskgate on it once`);
    await client.query('SET LOCAL search_path = taskgate');
    await seeEverything(client);
    return {
      version,
      state: await perform(createLink(client, ''), readState()),
      tables: shapeOf(version),
      async *rows({ name, columns, key }) {
        const chosen = columns.map((column) => `"${column}"`).join(', ');
        await client.query(`DECLARE copied NO SCROLL CURSOR FOR SELECT ${chosen} FROM ${name} ORDER BY ${key.join(', ')}`);
        for (;;) {
          const { rows } = await client.query<Row & unknown[]>({ text: `FETCH ${rowsAtOnce} FROM copied`, rowMode: 'array' });
          if (rows.length > 0) yield rows;
          if (rows.length < rowsAtOnce) break;
        }
        await client.query('CLOSE copied');
      },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error instanceof StoreUnavailable ? error : failureOf(error);
  }
}

/** Lets this transaction read every row, or says that this login may not: a copy with rows left out would be taken for whole. */
async function seeEverything(client: Client): Promise<void> {
  const { rows } = await client.query<{ bypasses: boolean; fenced: number; open: number }>(
    `SELECT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS bypasses,
       (SELECT count(*)::int FROM pg_class WHERE relnamespace = 'taskgate'::regnamespace AND relkind = 'r' AND relrowsecurity) AS fenced,
       (SELECT count(*)::int FROM pg_policies
        WHERE schemaname = 'taskgate' AND policyname = $1
          AND EXISTS (SELECT 1 FROM unnest(roles) AS role WHERE role = 'public' OR pg_has_role(current_user, role, 'USAGE'))) AS open`,
    [wholeCopy],
  );
  const { bypasses, fenced, open } = rows[0] ?? { bypasses: false, fenced: 1, open: 0 };
  if (bypasses) await client.query('SET LOCAL row_security = off');
  else if (fenced === open) await client.query(`SELECT set_config('taskgate.reach', 'backup', true)`);
  else throw new StoreUnavailable('this login may not read every row: take the one that owns the tables, as at first start');
}
