import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { pino } from 'pino';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { compare } from '../../server/anchor/compare.ts';
import { type KeptAnchor, keepAnchor, NotAsAnchored, readAnchor, writeAnchor } from '../../server/anchor/index.ts';
import { openStore, type Store, type StoreState } from '../../server/store/index.ts';
import { copyPlain, newKeys } from '../backup/fixture.ts';
import { applyTenant, approve, body, open, start, take, typesOf } from '../contract/samples.ts';
import { describeOnPostgres } from '../store/postgres-bench.ts';

const keys = newKeys();
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'taskgate-anchor-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

interface Bench {
  open(): Promise<Store>;
  /** Remembers the store as it is now. */
  keep(): Promise<void>;
  /** Puts the store that was kept back, while nobody has it open. */
  putBack(): Promise<void>;
  /** Runs SQL past the store. */
  meddle(text: string): Promise<void>;
}

function rules(name: string, newBench: () => Promise<Bench>): void {
  describe(`the anchor of a store on ${name}`, () => {
    let bench: Bench;
    let data: string;
    const lost: string[] = [];
    const start_ = async (store: Store, more: { accept?: boolean; data?: string } = {}): Promise<KeptAnchor> =>
      keepAnchor({
        store,
        keys,
        data: more.data ?? data,
        clock: () => start + 5,
        log: pino({ level: 'silent' }),
        accept: more.accept ?? false,
        lost: (why) => void lost.push(why),
      });
    /** One broker's life: what it does, then its end. */
    async function run(work: (store: Store) => Promise<unknown>, more: { accept?: boolean; data?: string } = {}): Promise<void> {
      const store = await bench.open();
      try {
        const anchor = await start_(store, more);
        await work(store);
        await anchor.close();
      } finally {
        await store.close();
      }
    }
    const prepare = (): Promise<void> =>
      run(async (store) => {
        await applyTenant(store, 'acme');
        await applyTenant(store, 'globex');
        await open(store);
        await approve(store);
      });
    const nothing = async (): Promise<void> => undefined;
    const epoch = async (): Promise<StoreState> => {
      const store = await bench.open();
      try {
        return await store.readState();
      } finally {
        await store.close();
      }
    };

    beforeEach(async () => {
      lost.length = 0;
      data = folder();
      bench = await newBench();
    });

    it('is written as the broker leaves, for its owner alone, and is not ahead of the store', async () => {
      await prepare();
      expect(statSync(join(data, 'anchor.json')).mode & 0o777).toBe(0o600);
      expect(readdirSync(data)).toEqual(['anchor.json']);
      const { store, epoch: number, heads } = await epoch();
      expect(await readAnchor(data, keys.anchor)).toEqual({ store, epoch: number, heads });
    });

    it('says nothing of a store that went on, was migrated or simply stood', async () => {
      await prepare();
      await run(async (store) => store.append('acme', [body('call.refused')]));
      await run(nothing);
      expect(await epoch()).toMatchObject({ epoch: 1, epochAt: 0 });
    });

    it('shows a copy put back while it was stopped: what lived in it ends before anything is served', async () => {
      await prepare();
      await bench.keep();
      await run(async (store) => {
        await store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
      });
      const seen = await readAnchor(data, keys.anchor);
      if (seen === null || seen === 'damaged') throw new Error('no anchor');
      await bench.putBack();
      await run(async (store) => {
        expect((await store.readSession('acme', 'ses_1'))?.session).toMatchObject({ status: 'revoked', endReason: 'behind_anchor' });
        expect(await store.readApproval('acme', 'apr_1')).toMatchObject({ status: 'cancelled' });
        expect(await take(store, { approval: { id: 'apr_1', digest: 'p'.repeat(64) } })).toMatchObject({ claimed: false });
        expect(await store.readState()).toMatchObject({ epoch: 2, epochAt: start + 5 });
        const record = (await store.readRecords('acme', 0, 100)).find(({ body: { type } }) => type === 'store.behind_anchor');
        const anchored = seen.heads.find(({ tenant }) => tenant === 'acme')!;
        expect(record?.body).toMatchObject({
          epoch: 2,
          anchored_head: { index: anchored.index, hash: anchored.hash },
          found_head: { index: record!.index - 1, hash: record!.prev },
        });
        expect(await typesOf(store, 'globex')).toEqual(['configuration.applied', 'store.behind_anchor']);
        expect(await typesOf(store, null)).toEqual(['store.behind_anchor']);
        await open(store, { id: 'ses_2' });
      });
      // Said once: from here on the store goes on.
      await run(async (store) => expect((await store.readSession('acme', 'ses_2'))?.session.status).toBe('active'));
      expect(await epoch()).toMatchObject({ epoch: 2 });
    });

    it('shows it to one of two brokers, and the other, with an anchor of its own, goes by the new epoch', async () => {
      await prepare();
      const other = folder();
      await run(nothing, { data: other });
      await bench.keep();
      await run(async (store) => store.append('acme', [body('call.refused')]));
      await run(async (store) => store.append('acme', [body('call.refused')]), { data: other });
      await bench.putBack();
      const stores = [await bench.open(), await bench.open()] as const;
      const anchors = await Promise.all([start_(stores[0]), start_(stores[1], { data: other })]);
      expect(await stores[0].readState()).toMatchObject({ epoch: 2 });
      expect((await typesOf(stores[0], 'acme')).filter((type) => type === 'store.behind_anchor')).toHaveLength(1);
      for (const anchor of anchors) await anchor.close();
      for (const store of stores) await store.close();
    });

    it('refuses a store whose record was written anew, until the operator takes it, which ends every session', async () => {
      await prepare();
      await bench.keep();
      await run(async (store) => store.append('acme', [body('call.refused', { code: 'one' })]));
      await bench.putBack();
      // Somebody without the anchor goes on from the older copy, past where it had been.
      await run(async (store) => store.append('acme', [body('call.refused', { code: 'two' }), body('call.refused')]), { data: folder() });
      await expect(run(nothing)).rejects.toThrow(NotAsAnchored);
      await expect(run(nothing)).rejects.toThrow(/record of acme has another record/);
      expect(await epoch()).toMatchObject({ epoch: 1 });
      await run(
        async (store) => {
          expect((await store.readSession('acme', 'ses_1'))?.session).toMatchObject({ status: 'revoked', endReason: 'accepted' });
          expect((await store.readRecords(null, 0, 10))[0]?.body).toMatchObject({
            type: 'store.accepted',
            actor: 'operator',
            detail: expect.stringContaining('acme'),
          });
        },
        { accept: true },
      );
      await run(nothing);
    });

    it.each([
      ['changed by hand', (text: string) => text.replace(/index\\":\d+/, 'index\\":0')],
      ['no JSON', () => '{'],
      ['empty', () => ''],
      ['of another key', (text: string) => text.replace(/"key":"[^"]+"/, '"key":"other"')],
    ])('that is %s is taken for none that anybody vouches for', async (_, change) => {
      await prepare();
      const path = join(data, 'anchor.json');
      writeFileSync(path, change(readFileSync(path, 'utf8')));
      await expect(run(nothing)).rejects.toThrow(NotAsAnchored);
      await run(nothing, { accept: true });
      await run(nothing);
    });

    it('of another store ends what lives in this one', async () => {
      await prepare();
      await bench.meddle(`UPDATE meta SET store = 'another'`);
      await run(async (store) => expect((await store.readSession('acme', 'ses_1'))?.session.status).toBe('revoked'));
    });

    it('shows an older copy under a running broker, which then serves no more', async () => {
      await prepare();
      const store = await bench.open();
      const anchor = await start_(store);
      await anchor.look();
      await anchor.close();
      await store.close();
      await bench.keep();
      const again = await bench.open();
      const kept = await start_(again);
      await again.append('acme', [body('call.refused')]);
      await kept.look();
      await again.close();
      await bench.putBack();
      const older = await bench.open();
      Object.assign(again, { readState: older.readState, readRecords: older.readRecords, startEpoch: older.startEpoch });
      await kept.look();
      expect(lost).toEqual([expect.stringContaining('record of acme')]);
      expect((await older.readSession('acme', 'ses_1'))?.session).toMatchObject({ status: 'revoked' });
      expect(await older.readState()).toMatchObject({ epoch: 2 });
      await older.close();
    });
  });
}

rules('SQLite', async () => {
  const dir = folder();
  const path = join(dir, 'taskgate.db');
  return {
    open: () => openStore(`sqlite:${path}`, () => start),
    async keep() {
      copyFileSync(path, `${path}.kept`);
    },
    async putBack() {
      copyFileSync(`${path}.kept`, path);
    },
    async meddle(text) {
      const raw = new DatabaseSync(path);
      raw.exec(text);
      raw.close();
    },
  };
});

await describeOnPostgres((database) => {
  rules('PostgreSQL', async () => {
    await database.wipe();
    const dir = folder();
    let kept = '';
    return {
      open: () => openStore(database.url, () => start),
      // Row for row, with its identity: what `pg_restore` of an older dump, or a volume's snapshot, would bring back.
      async keep() {
        kept = `sqlite:${join(dir, `${Math.random()}.db`)}`;
        await copyPlain(database.url, kept);
      },
      async putBack() {
        await database.wipe();
        await copyPlain(kept, database.url);
      },
      async meddle(text) {
        await database.admin(`SET search_path = taskgate; ${text}; RESET search_path`);
      },
    };
  });
});

describe('comparing a store with its anchor', () => {
  const hash = (chain: number, index: number, branch: number): string => `${chain}/${index}/${branch}`;
  const state = (epoch: number, lengths: readonly number[], branch: number): StoreState => ({
    store: 's',
    epoch,
    epochAt: 0,
    heads: lengths.flatMap((length, chain) =>
      length === 0 ? [] : [{ tenant: chain === 0 ? null : `t${chain}`, index: length - 1, hash: hash(chain, length - 1, branch) }],
    ),
  });
  const lengths = fc.array(fc.nat(5), { minLength: 3, maxLength: 3 });

  it('finds it in step exactly when every chain goes on from where it was, in the same epoch', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, lengths, fc.constantFrom(0, 1), async (before, now, branch) => {
        const { verdict } = await compare(state(1, before, 0), state(1, now, branch), async (tenant, index) =>
          hash(tenant === null ? 0 : Number(tenant.slice(1)), index, branch),
        );
        const goesOn = before.every((length, chain) => length === 0 || (now[chain]! >= length && branch === 0));
        expect(verdict === 'in_step').toBe(goesOn);
        if (branch === 0) expect(verdict).not.toBe('rewritten');
      }),
    );
  });

  it('knows a lower epoch for an older copy, whatever its record says', async () => {
    expect(await compare(state(2, [1, 1, 1], 0), state(1, [9, 9, 9], 0), async () => null)).toMatchObject({ verdict: 'behind' });
    expect(await compare(state(1, [1, 1, 1], 0), state(2, [9, 0, 9], 0), async (_, index) => hash(0, index, 0))).toMatchObject({
      verdict: 'newer_epoch',
      cut: expect.any(String),
    });
  });
});

it('an anchor that is written leaves the one before or itself, never half of one', async () => {
  const data = folder();
  const anchor = { store: 's', epoch: 1, heads: [] };
  await Promise.all(Array.from({ length: 20 }, (_, n) => writeAnchor(data, keys.anchor, { ...anchor, epoch: n + 1 })));
  expect(await readAnchor(data, keys.anchor)).toMatchObject({ store: 's' });
  expect(readdirSync(data)).toEqual(['anchor.json']);
});
