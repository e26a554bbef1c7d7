import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { restoreBackup } from '../../server/backup/index.ts';
import { openSnapshot, openStore, PlaceTaken, schemaVersion, shapeOf } from '../../server/store/index.ts';
import { body, open, start, take, tryOpen, typesOf } from '../contract/samples.ts';
import { describeOnPostgres } from '../store/postgres-bench.ts';
import { backUp, copyPlain, everything, later, newFolder, newKeys, populate } from './fixture.ts';

/** Where a store can be: a new place each time it is asked for. */
interface Place {
  readonly name: string;
  fresh(): Promise<string>;
}
const sqlite: Place = { name: 'SQLite', fresh: async () => `sqlite:${join(newFolder(), 'data', 'taskgate.db')}` };

const options = (path: string, address: string, keys: ReturnType<typeof newKeys>) => ({
  path,
  address,
  keys,
  otherKeys: false,
  replace: false,
  knownEpoch: 0,
  by: 'operator:test',
  clock: () => later,
});

async function populated(place: Place): Promise<string> {
  const address = await place.fresh();
  const store = await openStore(address, () => start);
  await populate(store);
  await store.close();
  return address;
}

function rules(from: Place, to: Place): void {
  describe(`a backup from ${from.name} restored to ${to.name}`, () => {
    it('has every row of every table, and none is empty', async () => {
      const source = await populated(from);
      const before = await everything(source);
      expect(Object.entries(before).filter(([, rows]) => rows.length === 0)).toEqual([]);
      if (from.name === to.name) return;
      const target = await to.fresh();
      await copyPlain(source, target);
      expect(await everything(target)).toEqual(before);
    });

    it('differs from what was backed up by what the restore ends, each with its record, and by nothing else', async () => {
      const source = await populated(from);
      const path = join(newFolder(), 'backup');
      const keys = newKeys();
      const { sha256, header } = await backUp(source, keys, path);
      const before = await everything(source);
      const target = await to.fresh();
      const restored = await restoreBackup(options(path, target, keys));
      expect(restored).toMatchObject({ sha256, kept: null, state: { epoch: 2, epochAt: later, store: header.store } });
      const after = await everything(target);

      for (const same of ['tenants', 'platform', 'agents', 'lineages', 'counters', 'votes', 'secrets', 'used_once', 'channels', 'notifications', 'deliveries'])
        expect(after[same], same).toEqual(before[same]);
      const changed = (table: string) =>
        before[table]!.map(
          (row, at) =>
            [row, after[table]!.find((one) => one['tenant'] === row['tenant'] && (one['id'] ?? one['hash']) === (row['id'] ?? row['hash']))!, at] as const,
        );
      for (const [was, is] of changed('sessions'))
        expect(is).toEqual(
          ['active', 'suspended'].includes(String(was['status'])) ? { ...was, status: 'revoked', end_reason: 'restored', ended_at: later } : was,
        );
      for (const [was, is] of changed('approvals'))
        expect(is).toEqual(
          ['pending', 'approved'].includes(String(was['status'])) ? { ...was, status: 'cancelled', decided_at: was['decided_at'] ?? later } : was,
        );
      for (const [was, is] of changed('dispatches'))
        expect(is).toEqual(was['status'] === 'dispatched' ? { ...was, status: 'unknown', settled_at: later } : was);
      for (const [was, is] of changed('changes')) expect(is).toEqual({ ...was, status: 'superseded', decided_at: later, payload: '' });
      for (const [was, is] of changed('agent_tokens')) expect(is).toEqual({ ...was, revoked: 1 });
      // A key whose confirmation may have been taken back since waits for an admin's word again.
      for (const [was, is] of changed('passkeys')) expect(is).toEqual({ ...was, confirmed_by: null, effective_at: null });
      // One that was taken back since would hold again.
      for (const [was, is] of changed('delegations')) expect(is).toEqual({ ...was, ended_at: later });
      expect(after['passkey_challenges']).toEqual([]);
      for (const record of before['records']!) expect(after['records']).toContainEqual(record);

      const store = await openStore(target, () => later);
      try {
        const own = (await typesOf(store, 'acme')).slice(header.heads.find(({ tenant }) => tenant === 'acme')!.index + 1);
        expect(own.toSorted()).toEqual(
          [
            'store.restored',
            ...Array(4).fill('session.revoked'),
            ...Array(2).fill('approval.cancelled'),
            'call.unknown',
            'agent.token_revoked',
            'passkey.unconfirmed',
            'change.superseded',
            'break_glass.lapsed',
            'standing.revoked',
            'delegation.ended',
          ].toSorted(),
        );
        for (const tenant of ['acme', 'globex', null]) {
          expect(await verifyChain(recordsOf(store, tenant))).toMatchObject({ ok: true });
          const head = header.heads.find((one) => one.tenant === tenant)!;
          const [first] = await store.readRecords(tenant, head.index + 1, 1);
          expect(first?.body).toMatchObject({
            type: 'store.restored',
            actor: 'operator:test',
            epoch: 2,
            backup_sha256: sha256,
            found_head: { index: head.index, hash: head.hash },
          });
        }
        // It goes on as a store.
        await open(store, { id: 'new' });
        expect(await take(store, { session: 'new' })).toMatchObject({ claimed: true });
        expect(await tryOpen(store, { id: 'child', parent: 'ses_z' })).toEqual({ refused: 'parent_not_live' });
      } finally {
        await store.close();
      }
    });
  });
}

function alone(place: Place): void {
  describe(`on ${place.name}`, () => {
    it('what was issued before the restore counts as used', async () => {
      const source = await populated(place);
      const path = join(newFolder(), 'backup');
      const keys = newKeys();
      await backUp(source, keys, path);
      const target = await place.fresh();
      await restoreBackup(options(path, target, keys));
      const store = await openStore(target, () => later);
      try {
        expect(await store.useOnce('login/acme', 'unknown to the backup', later + 10_000, later + 1, later - 1000)).toBe(false);
        expect(await store.useOnce('login/acme', 'made since', later + 10_000, later + 1, later)).toBe(true);
      } finally {
        await store.close();
      }
    });

    it('a copy taken while others write holds what stood at one moment, chains whole', async () => {
      const source = await populated(place);
      const store = await openStore(source, () => start);
      const keys = newKeys();
      let writing = true;
      const writer = async (tenant: string) => {
        for (let n = 0; writing; n++) {
          await open(store, { tenant, id: `${tenant}_${n}`, objective: 'x'.repeat(500) });
          await store.append(tenant, [body('call.refused')]);
        }
      };
      const writers = ['acme', 'globex'].map(writer);
      const folder = newFolder();
      try {
        for (let n = 0; n < 3; n++) {
          const { header } = await backUp(source, keys, join(folder, `backup${n}`));
          const target = await sqlite.fresh();
          const { state } = await restoreBackup(options(join(folder, `backup${n}`), target, keys));
          expect(state.heads.find(({ tenant }) => tenant === 'acme')!.index).toBeGreaterThan(header.heads.find(({ tenant }) => tenant === 'acme')!.index);
        }
      } finally {
        writing = false;
        await Promise.all(writers);
        await store.close();
      }
    });

    it('a store that is not empty is left alone, unless it may be replaced: then it is kept', async () => {
      const source = await populated(place);
      const path = join(newFolder(), 'backup');
      const keys = newKeys();
      await backUp(source, keys, path);
      const target = await populated(place);
      const before = await everything(target);
      await expect(restoreBackup(options(path, target, keys))).rejects.toThrow(PlaceTaken);
      expect(await everything(target)).toEqual(before);
      const { kept, state } = await restoreBackup({ ...options(path, target, keys), replace: true, knownEpoch: 6 });
      expect(kept).toMatch(/before.restore/);
      expect(state.epoch).toBe(7);
      if (place.name === 'SQLite') expect(await everything(`sqlite:${kept}`)).toEqual(before);
    });

    it('a store that a broker has open is left alone', async () => {
      const source = await populated(place);
      const path = join(newFolder(), 'backup');
      const keys = newKeys();
      await backUp(source, keys, path);
      const store = await openStore(source, () => start);
      try {
        await store.check();
        await expect(restoreBackup({ ...options(path, source, keys), replace: true })).rejects.toThrow(/broker/);
        await store.append('acme', [body('call.refused')]);
      } finally {
        await store.close();
      }
    });
  });
}

rules(sqlite, sqlite);
alone(sqlite);

await describeOnPostgres((database) => {
  const postgres: Place = {
    name: 'PostgreSQL',
    async fresh() {
      await database.wipe();
      return database.url;
    },
  };
  beforeEach(() => database.wipe());
  rules(sqlite, postgres);
  rules(postgres, sqlite);

  it('the two engines have the same tables and columns', async () => {
    await database.open();
    const rows = await database.admin(
      `SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) AS columns FROM information_schema.columns
       WHERE table_schema = 'taskgate' AND table_name NOT IN ('meta', 'compatibility') GROUP BY table_name ORDER BY table_name`,
    );
    const shape = shapeOf(schemaVersion).map(({ name, columns }) => ({ table_name: name, columns }));
    expect(rows).toEqual(shape.toSorted((a, b) => (a.table_name < b.table_name ? -1 : 1)));
  });

  it('the login that owns the tables copies all of them though it bypasses no fence, and no other login does', async () => {
    const [owner, other] = [`${database.name}_owner`, `${database.name}_other`];
    await database.admin(`CREATE ROLE ${owner} LOGIN CREATEROLE; CREATE ROLE ${other} LOGIN; GRANT CREATE ON DATABASE ${database.name} TO ${owner}`);
    const as = (login: string): string => {
      const url = new URL(database.url);
      url.username = login;
      return url.href;
    };
    try {
      const source = await populated(sqlite);
      const path = join(newFolder(), 'backup');
      const keys = newKeys();
      await backUp(source, keys, path);
      const before = await everything(source);
      await copyPlain(source, as(owner));
      expect(await everything(as(owner))).toEqual(before);
      await database.admin(`GRANT USAGE ON SCHEMA taskgate TO ${other}; GRANT SELECT ON ALL TABLES IN SCHEMA taskgate TO ${other}`);
      await expect(openSnapshot(as(other))).rejects.toThrow(/may not read every row/);
      await restoreBackup({ ...options(path, as(owner), keys), replace: true });
      const store = await openStore(as(owner), () => later);
      await store.check();
      await store.close();
      const [{ schemas } = {}] = await database.admin(`SELECT count(*)::int AS schemas FROM pg_namespace WHERE nspname LIKE 'taskgate_before%'`);
      expect(schemas).toBe(1);
    } finally {
      await database.admin(
        `DO $$ DECLARE s text; BEGIN FOR s IN SELECT nspname FROM pg_namespace WHERE nspname LIKE 'taskgate%' LOOP EXECUTE format('DROP SCHEMA %I CASCADE', s); END LOOP; END $$`,
      );
      await database.admin(`DROP OWNED BY ${owner}; DROP OWNED BY ${other}; DROP ROLE IF EXISTS ${database.role}; DROP ROLE ${owner}; DROP ROLE ${other}`);
    }
  });
  alone(postgres);
});
