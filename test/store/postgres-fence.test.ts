import type pg from 'pg';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { type Store, StoreUnavailable } from '../../server/store/index.ts';
import { newChange } from '../contract/changes.contract.ts';
import { applyTenant, ask, body, channel, newBreakGlass, open, start, take } from '../contract/samples.ts';
import { type Database, describeOnPostgres } from './postgres-bench.ts';

const tables = [
  'tenants',
  'agents',
  'lineages',
  'sessions',
  'counters',
  'dispatches',
  'approvals',
  'secrets',
  'agent_tokens',
  'changes',
  'break_glass',
  'channels',
  'notifications',
  'deliveries',
  'protocol_sessions',
  'renewals',
  'cancelled_calls',
  'chain_heads',
  'records',
];

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
  for (const tenant of ['acme', 'globex']) {
    await applyTenant(store, tenant, 0, [channel('on-call', undefined, tenant)]);
    await open(store, { tenant });
    await store.requestBreakGlass(newBreakGlass(tenant, 'ses_1'));
    await ask(store, { tenant });
    await take(store, { tenant, draws: [{ scope: 'session/ses_1', key: 'calls', amount: 1, limit: 9 }], dispatch: `dsp_${tenant}` });
    await store.setAgentStatus(tenant, 'helper', 'suspended', body('agent.suspended'));
    await store.putSecret(tenant, 'key', new Uint8Array([1]), start, body('credential.set'));
    const token = { hash: `hash of ${tenant}`, tenant, agent: 'matcher', createdBy: 'local#dana', expiresAt: start, revoked: false };
    await store.putAgentToken(token, body('agent.token_created'));
    await store.requestChange(newChange({ tenant }));
    await store.openProtocolSession({ tenant, hash: 'named', holder: 'a client', openedAt: start, expiresAt: start }, 16);
    await store.cancelCall(tenant, 'named', '7', start, null);
    await store.noteRenewal(tenant, 'ses_1', start, body('session.renewed'));
  }
  await store.append(null, [body('access.refused')]);
}

await describeOnPostgres((database) => {
  let client: pg.Client;
  let store: Store;
  beforeAll(async () => {
    store = await database.open();
    await fill(store);
    client = await database.connect();
  });

  describe('row-level security', () => {
    it.each(tables)('shows of %s the rows of the tenant that was named, and none where none was', async (table) => {
      await asBroker(database, client, { tenant: 'acme' });
      expect(await tenantsIn(client, table)).toEqual(['acme']);
      await asBroker(database, client);
      expect(await tenantsIn(client, table)).toEqual([]);
      await asBroker(database, client, { tenant: '' });
      expect(await tenantsIn(client, table)).toEqual([]);
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
