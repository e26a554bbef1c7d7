import type pg from 'pg';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { type Store, StoreUnavailable } from '../../server/store/index.ts';
import { populate } from '../backup/fixture.ts';
import { body, start } from '../contract/samples.ts';
import { type Database, describeOnPostgres } from './postgres-bench.ts';

/** A transaction under the store's own role, told what a verb tells it. */
async function asBroker(database: Database, client: pg.Client, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  await client.query(`ROLLBACK; BEGIN; SET LOCAL ROLE ${database.role}; SET LOCAL search_path = taskgate`);
  for (const [name, value] of Object.entries(settings)) await client.query('SELECT set_config($1, $2, true)', [`taskgate.${name}`, value]);
}

async function tenantsIn(client: pg.Client, table: string): Promise<string[]> {
  return (await client.query<{ tenant: string }>(`SELECT DISTINCT tenant FROM ${table} ORDER BY tenant`)).rows.map(({ tenant }) => tenant);
}

/** Something in every table, of two tenants and the platform. */
async function fill(store: Store): Promise<void> {
  await populate(store);
  for (const tenant of ['acme', 'globex']) {
    const token = { hash: `hash of ${tenant}`, tenant, agent: 'matcher', createdBy: 'local#dana', expiresAt: start, revoked: false };
    await store.putAgentToken(token, body('agent.token_created'));
  }
}

await describeOnPostgres((database) => {
  let client: pg.Client;
  let store: Store;
  /** Every table that says whose a row is, whoever added it. */
  let tables: string[];
  beforeAll(async () => {
    store = await database.open();
    await fill(store);
    client = await database.connect();
    const found = await database.admin(`
      SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
      WHERE c.relnamespace = 'taskgate'::regnamespace AND c.relkind = 'r' ORDER BY c.relname`);
    tables = (found as { relname: string }[]).map(({ relname }) => relname);
  });

  describe('row-level security', () => {
    it('shows of every table the rows of the tenant that was named, and none where none was', async () => {
      expect(tables).toEqual(expect.arrayContaining(['approvals', 'console_links', 'console_sessions', 'approval_views', 'delegations', 'records', 'votes']));
      const shown = async (): Promise<Record<string, string[]>> => {
        const all: [string, string[]][] = [];
        for (const table of tables) all.push([table, await tenantsIn(client, table)]);
        return Object.fromEntries(all);
      };
      const each = (tenants: string[]) => Object.fromEntries(tables.map((table) => [table, tenants]));
      await asBroker(database, client, { tenant: 'acme' });
      expect(await shown()).toEqual(each(['acme']));
      await asBroker(database, client);
      expect(await shown()).toEqual(each([]));
      await asBroker(database, client, { tenant: '' });
      expect(await shown()).toEqual(each([]));
    });

    it('covers every table that has a tenant', async () => {
      const open = await database.admin(`
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
        WHERE c.relnamespace = 'taskgate'::regnamespace AND c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`);
      expect(open).toEqual([]);
    });

    it.each([
      `INSERT INTO agents (tenant, agent, status) VALUES ('globex', 'a', 'active')`,
      `INSERT INTO records (tenant, position, prev, hash, body) VALUES ('globex', 99, '', '', '')`,
      `INSERT INTO records (tenant, position, prev, hash, body) VALUES ('', 99, '', '', '')`,
      `UPDATE agents SET tenant = 'globex'`,
    ])('refuses to write for another tenant: %s', async (text) => {
      await asBroker(database, client, { tenant: 'acme' });
      await expect(client.query(text)).rejects.toThrow(/row-level security/);
    });

    it('changes nothing of another tenant, whatever the statement asks for', async () => {
      await asBroker(database, client, { tenant: 'acme' });
      expect((await client.query(`UPDATE sessions SET status = 'ended' WHERE tenant = 'globex'`)).rowCount).toBe(0);
      expect((await client.query(`DELETE FROM lineages WHERE tenant = 'globex'`)).rowCount).toBe(0);
    });

    it('opens the platform log and document only to who asks for the platform', async () => {
      await asBroker(database, client, { reach: 'platform' });
      expect(await tenantsIn(client, 'records')).toEqual(['']);
      expect(await tenantsIn(client, 'sessions')).toEqual([]);
      await asBroker(database, client, { tenant: 'acme' });
      expect((await client.query('SELECT 1 FROM platform')).rowCount).toBe(0);
    });

    it('lets what is due be found across tenants and not be written, and no secret or record be seen', async () => {
      await asBroker(database, client, { reach: 'every tenant' });
      for (const table of ['tenants', 'sessions', 'approvals', 'dispatches']) expect(await tenantsIn(client, table)).toEqual(['acme', 'globex']);
      expect(await tenantsIn(client, 'chain_heads')).toEqual(['', 'acme', 'globex']);
      for (const table of ['records', 'secrets', 'counters', 'agent_tokens']) expect(await tenantsIn(client, table)).toEqual([]);
      expect((await client.query(`UPDATE approvals SET status = 'approved'`)).rowCount).toBe(0);
    });

    it("keeps the whole copy a backup reads from the broker's role, whatever it asks for", async () => {
      await asBroker(database, client, { reach: 'backup' });
      for (const table of tables) expect(await tenantsIn(client, table)).toEqual([]);
    });

    it('shows of the tokens the one whose hash is known', async () => {
      await asBroker(database, client, { token: 'hash of globex' });
      expect(await tenantsIn(client, 'agent_tokens')).toEqual(['globex']);
    });
  });

  describe('the record', () => {
    const attempts = [
      `UPDATE records SET body = '{}'`,
      'DELETE FROM records',
      'TRUNCATE records',
      'DROP TABLE records',
      'ALTER TABLE records DISABLE TRIGGER ALL',
    ];

    it.each(attempts)('is not the role’s to change: %s', async (text) => {
      await asBroker(database, client, { tenant: 'acme' });
      await expect(client.query(text)).rejects.toThrow(/permission denied|must be owner/);
    });

    it.each([
      ...attempts.slice(0, 3),
      `INSERT INTO records SELECT * FROM records ON CONFLICT (tenant, position) DO UPDATE SET body = '{}'`,
      'SET LOCAL session_replication_role = replica; DELETE FROM records',
    ])('is refused to the superuser too: %s', async (text) => {
      await client.query('ROLLBACK; BEGIN; SET LOCAL search_path = taskgate');
      await expect(client.query(text)).rejects.toThrow(/append-only/);
      await client.query('ROLLBACK');
    });

    it('shows a change made by whoever went round that', async () => {
      const changed = await database.connect();
      await changed.query(`
        BEGIN; SET LOCAL search_path = taskgate; ALTER TABLE records DISABLE TRIGGER records_stay;
        UPDATE records SET body = replace(body, 'opened', 'ended') WHERE tenant = 'globex';
        ALTER TABLE records ENABLE ALWAYS TRIGGER records_stay; COMMIT`);
      expect(await verifyChain(recordsOf(store, 'globex'))).toMatchObject({ ok: false, index: 1 });
      expect(await verifyChain(recordsOf(store, 'acme'))).toMatchObject({ ok: true });
    });
  });

  describe('the broker’s connections', () => {
    it('run under a role that cannot log in, is held by row-level security, and owns nothing', async () => {
      const [role] = await database.admin('SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = $1', [database.role]);
      expect(role).toEqual({ rolcanlogin: false, rolsuper: false, rolbypassrls: false, rolcreaterole: false });
      expect(await database.admin('SELECT 1 FROM pg_class WHERE relowner = $1::regrole', [database.role])).toEqual([]);
      await database.admin(`REVOKE INSERT ON taskgate.records FROM ${database.role}`);
      await expect(store.append('acme', [body('call.refused')])).rejects.toThrow(StoreUnavailable);
      await database.admin(`GRANT INSERT ON taskgate.records TO ${database.role}`);
      await store.append('acme', [body('call.refused')]);
    });

    it('of a login that may make no role and owns the store are fenced all the same', async () => {
      const login = `${database.name}_login`;
      await database.admin(`CREATE ROLE ${login} LOGIN`);
      await database.admin(`CREATE DATABASE ${login} OWNER ${login}`);
      onTestFinished(async () => {
        await database.admin(`DROP DATABASE ${login} WITH (FORCE)`);
        await database.admin(`DROP ROLE ${login}`);
      });
      const url = new URL(database.url);
      url.username = login;
      url.pathname = `/${login}`;
      const own = await database.open(() => start, url.href);
      await fill(own);
      const owner = await database.connect(url.href);
      await owner.query(`BEGIN; SET LOCAL search_path = taskgate; SELECT set_config('taskgate.tenant', 'acme', true)`);
      expect(await tenantsIn(owner, 'sessions')).toEqual(['acme']);
      await expect(owner.query('DELETE FROM records')).rejects.toThrow(/append-only/);
      await own.close();
      await owner.end();
    });
  });
});
