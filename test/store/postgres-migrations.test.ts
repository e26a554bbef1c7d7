import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { StoreUnavailable } from '../../server/store/index.ts';
import { migrate } from '../../server/store/postgres/migrate.ts';
import { schema } from '../../server/store/postgres/schema.ts';
import { applyTenant, body, open, start, take } from '../contract/samples.ts';
import { describeOnPostgres } from './postgres-bench.ts';

await describeOnPostgres((database) => {
  beforeEach(() => database.wipe());

  /** What the next Taskgate does when it starts. */
  async function migrateTo(step: string, oldest: number): Promise<void> {
    const client = await database.connect();
    await migrate(client as Parameters<typeof migrate>[0], { steps: [...schema.steps, step], oldest });
  }

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

  it('a store that a newer Taskgate wrote and shut this one out of is refused, and left as it was', async () => {
    await (await database.open()).close();
    await database.admin('UPDATE taskgate.meta SET version = 99; UPDATE taskgate.compatibility SET oldest = 99');
    await expect(database.open()).rejects.toThrow(/newer Taskgate \(schema 99/);
    await expect(database.open()).rejects.toThrow(StoreUnavailable);
    expect(await database.admin('SELECT version FROM taskgate.meta')).toEqual([{ version: 99 }]);
  });

  it('a store of before there was a mark is marked by who knows its schema, and refused by who does not', async () => {
    await (await database.open()).close();
    await database.admin('DROP TABLE taskgate.compatibility');
    await (await database.open()).check();
    expect(await database.admin('SELECT oldest FROM taskgate.compatibility')).toEqual([{ oldest: 1 }]);
    await database.admin('DROP TABLE taskgate.compatibility; UPDATE taskgate.meta SET version = 99');
    await expect(database.open()).rejects.toThrow(/newer Taskgate \(schema 99/);
  });

  it('a broker goes on, also when started anew, while the next version of the schema only adds', async () => {
    const store = await database.open();
    await applyTenant(store, 'acme');
    await open(store);
    await migrateTo('ALTER TABLE sessions ADD COLUMN later TEXT; CREATE TABLE later (tenant term)', schema.oldest);
    expect((await store.readSession('acme', 'ses_1'))?.session.status).toBe('active');
    expect((await take(store)).claimed).toBe(true);
    const another = await database.open();
    expect(await another.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'))).toBe(true);
    expect(await database.admin('SELECT version FROM taskgate.meta')).toEqual([{ version: schema.steps.length + 1 }]);
  });

  it('a broker is out, running or started anew, once the next version of the schema says so', async () => {
    const store = await database.open();
    await applyTenant(store, 'acme');
    await open(store);
    await Promise.all(Array.from({ length: 8 }, () => store.readSession('acme', 'ses_1')));
    await migrateTo('ALTER TABLE sessions ADD COLUMN later TEXT', schema.steps.length + 1);
    for (let n = 0; n < 12; n++) await expect(store.readSession('acme', 'ses_1')).rejects.toThrow(StoreUnavailable);
    await expect(take(store)).rejects.toThrow(/newer Taskgate/);
    await expect(database.open()).rejects.toThrow(/newer Taskgate/);
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
    await database.admin(`GRANT USAGE ON SCHEMA taskgate TO ${login}; GRANT SELECT ON taskgate.meta, taskgate.compatibility TO ${login}`);
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
