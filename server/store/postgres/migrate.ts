import type { Client } from 'pg';
import { StoreUnavailable } from '../store.ts';
import { fence, grants } from './fence.ts';
import { schema as ours, type Schema } from './schema.ts';

export interface Migrated {
  /** Which store this is; another one at the same address later is refused. */
  readonly store: string;
  /** Under which the broker works: no owner, held to one tenant's rows, without UPDATE or DELETE of records. Null when the login may not make or take it. */
  readonly role: string | null;
  /** The schema this process knows; the store's may be newer. */
  readonly version: number;
}

/** Any number that nothing else locks; replicas that start at once take it one after the other. */
const migrationLock = 7_411_2026;

/** Holds off, to the end of the transaction, everyone else who would change the schema. */
export const lockSchema = `SELECT pg_advisory_xact_lock(${migrationLock})`;
const patience = '30s';

/**
 * Brings the schema up to date, all steps or none; one replica at a time. A store that a newer Taskgate brought further is used as it
 * is while that one says this one can, and refused when it says otherwise. After a step that shuts older ones out their connections
 * are closed: what they open next is refused.
 */
export async function migrate(client: Client, schema: Schema = ours): Promise<Migrated> {
  const migrated = await migrateOnce(client, schema);
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity, taskgate.compatibility
     WHERE datname = current_database() AND substring(application_name FROM '^taskgate/([0-9]{1,6})$')::integer < oldest`,
  );
  return migrated;
}

async function migrateOnce(client: Client, schema: Schema): Promise<Migrated> {
  const version = schema.steps.length;
  await client.query(`BEGIN; SET LOCAL lock_timeout = '${patience}'; SET LOCAL statement_timeout = '${patience}'`);
  try {
    await client.query(lockSchema);
    const before = await readMeta(client);
    if (before && (before.oldest ?? before.version) > version) throw tooNew(before.version, version);
    const outdated = before === null || before.oldest === null || before.version < version;
    if (outdated) {
      await takeSteps(client, before?.version ?? 0, schema);
      await client.query(fence);
    }
    const role = await brokerRole(client, outdated);
    const meta = await readMeta(client);
    if (!meta) throw new StoreUnavailable('the store lost its own description');
    await client.query('COMMIT');
    return { store: meta.store, role, version };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

interface Meta {
  readonly store: string;
  readonly version: number;
  /** Null in a store of before there was a mark: only who knows its very schema works on it. */
  readonly oldest: number | null;
}

export async function readMeta(client: Client): Promise<Meta | null> {
  const { rows } = await client.query<{ there: boolean; marked: boolean }>(
    `SELECT to_regclass('taskgate.meta') IS NOT NULL AS there, to_regclass('taskgate.compatibility') IS NOT NULL AS marked`,
  );
  if (!rows[0]?.there) return null;
  const oldest = rows[0].marked ? '(SELECT oldest FROM taskgate.compatibility)' : 'NULL::integer';
  return (await client.query<Meta>(`SELECT store, version, ${oldest} AS oldest FROM taskgate.meta`)).rows[0] ?? null;
}

/** Takes the steps from `version` to `target`, in the transaction at hand. */
export async function takeSteps(client: Client, version: number, { steps, oldest }: Schema, target = steps.length): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(`SELECT to_regnamespace('taskgate') IS NOT NULL AS there`);
  if (!rows[0]?.there) await client.query('CREATE SCHEMA taskgate');
  await client.query('SET LOCAL search_path = taskgate');
  if (version === 0) {
    await client.query(`
      CREATE TABLE meta (store TEXT NOT NULL, version INTEGER NOT NULL, checked BIGINT NOT NULL);
      INSERT INTO meta (store, version, checked) VALUES (gen_random_uuid()::text, 0, 0)`);
  }
  await client.query('CREATE TABLE IF NOT EXISTS compatibility (oldest INTEGER NOT NULL)');
  await client.query('INSERT INTO compatibility (oldest) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM compatibility)');
  await client.query('UPDATE compatibility SET oldest = greatest(oldest, $1)', [oldest]);
  for (const step of steps.slice(version, target)) await client.query(step);
  await client.query('UPDATE meta SET version = $1', [target]);
}

interface Role {
  readonly dangerous: boolean;
  readonly member: boolean;
}

/** The role `<database>_broker`, made when the login may make it; its rights are set anew with every step of the schema. */
export async function brokerRole(client: Client, outdated: boolean): Promise<string | null> {
  const { rows } = await client.query<{ name: string; may: boolean; bypasses: boolean }>(
    `SELECT left(current_database(), 56) || '_broker' AS name, rolsuper OR rolcreaterole AS may, rolsuper OR rolbypassrls AS bypasses
     FROM pg_roles WHERE rolname = current_user`,
  );
  const { name, may, bypasses } = rows[0] ?? { name: '', may: false, bypasses: true };
  const role = client.escapeIdentifier(name);
  let found = await readRole(client, name);
  const made = found === null && may;
  if (made) {
    await client.query(`CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE; GRANT ${role} TO CURRENT_USER`);
    found = await readRole(client, name);
  }
  if (found?.dangerous) throw new StoreUnavailable(`the role ${name} may do more than a broker: it bypasses row-level security`);
  if (found && (made || outdated)) await client.query(`SET LOCAL search_path = taskgate; ${grants(role)}`);
  if (found?.member) return name;
  if (bypasses) throw new StoreUnavailable(`the login bypasses row-level security and cannot work as ${name}: give it NOBYPASSRLS, or CREATEROLE`);
  return null;
}

async function readRole(client: Client, name: string): Promise<Role | null> {
  const { rows } = await client.query<Role>(
    `SELECT rolsuper OR rolbypassrls AS dangerous, pg_has_role(current_user, oid, 'MEMBER') AS member FROM pg_roles WHERE rolname = $1`,
    [name],
  );
  return rows[0] ?? null;
}

export const tooNew = (version: number, known: number): StoreUnavailable =>
  new StoreUnavailable(
    `the store was written by a newer Taskgate (schema ${version}; this one knows ${known}): run that one, or restore a backup made before it`,
  );
