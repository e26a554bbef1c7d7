import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { StoreUnavailable } from '../../server/store/index.ts';
import { applyTenant, body, open, start } from '../contract/samples.ts';
import { describeOnPostgres } from './postgres-bench.ts';

await describeOnPostgres((database) => {
  beforeEach(() => database.wipe());

  it('a database holds what was written when it is opened again', async () => {
    const store = await database.open();
    await applyTenant(store, 'acme');
    await open(store);
    await store.close();
    expect((await (await database.open()).readSession('acme', 'ses_1'))?.session.status).toBe('active');
  });

  it('replicas that start at once take the steps once between them', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => database.open()));
    await Promise.all(stores.map((store) => store.check()));
    expect(await database.admin('SELECT count(*)::int AS count FROM taskgate.meta')).toEqual([{ count: 1 }]);
  });

  it('a store that a newer Taskgate wrote is refused, and left as it was', async () => {
    await (await database.open()).close();
    await database.admin('UPDATE taskgate.meta SET version = 99');
    await expect(database.open()).rejects.toThrow(/newer Taskgate \(schema 99/);
    await expect(database.open()).rejects.toThrow(StoreUnavailable);
    expect(await database.admin('SELECT version FROM taskgate.meta')).toEqual([{ version: 99 }]);
  });

  it('a step that fails leaves nothing behind', async () => {
    await database.admin('CREATE SCHEMA taskgate; CREATE TABLE taskgate.votes (mine TEXT)');
    await expect(database.open()).rejects.toThrow(StoreUnavailable);
    expect(await database.admin(`SELECT tablename FROM pg_tables WHERE schemaname = 'taskgate'`)).toEqual([{ tablename: 'votes' }]);
  });

  it('a role of the expected name that could pass the fence is not used', async () => {
    await (await database.open()).close();
    await database.admin(`ALTER ROLE ${database.role} BYPASSRLS`);
    await expect(database.open()).rejects.toThrow(/bypasses row-level security/);
    await database.admin(`ALTER ROLE ${database.role} NOBYPASSRLS`);
    await (await database.open()).check();
  });

  it('a login that bypasses the fence and can take no role is not let in', async () => {
    await (await database.open()).close();
    const login = `${database.name}_login`;
    await database.admin(`CREATE ROLE ${login} LOGIN BYPASSRLS`);
    onTestFinished(async () => {
      await database.admin(`DROP OWNED BY ${login}; DROP ROLE ${login}`);
    });
    await database.admin(`GRANT USAGE ON SCHEMA taskgate TO ${login}; GRANT SELECT ON taskgate.meta TO ${login}`);
    const url = new URL(database.url);
    url.username = login;
    await expect(database.open(() => start, url.href)).rejects.toThrow(/bypasses row-level security/);
    await database.admin(`ALTER ROLE ${login} NOBYPASSRLS; GRANT ${database.role} TO ${login}`);
    await (await database.open(() => start, url.href)).check();
    await database.wipe();
  });

  it('a replica goes on while another adds to the schema under it', async () => {
    const store = await database.open();
    await applyTenant(store, 'acme');
    const opened = await open(store);
    for (let i = 0; i < 10; i++) await Promise.all([store.readSession('acme', 'ses_1'), store.readSession('acme', 'ses_1')]);
    await database.admin('ALTER TABLE taskgate.sessions ADD COLUMN later TEXT');
    expect((await store.readSession('acme', 'ses_1'))?.session).toEqual(opened);
    expect(await store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'))).toBe(true);
  });
});
