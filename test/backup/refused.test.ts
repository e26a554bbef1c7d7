import { createHash, createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { BadBackup, OtherKeys, restoreBackup, writeBackup } from '../../server/backup/index.ts';
import type { Keys } from '../../server/credentials/index.ts';
import { openSnapshot, openStore, type Snapshot, shapeOf } from '../../server/store/index.ts';
import { start } from '../contract/samples.ts';
import { backUp, everything, later, newFolder, newKeys, populate, rowsOf } from './fixture.ts';

const keys = newKeys();
let whole: Buffer;
let source: string;
let sourceRows: Awaited<ReturnType<typeof everything>>;

beforeAll(async () => {
  const { mkdtempSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(join(tmpdir(), 'taskgate-backup-'));
  source = `sqlite:${join(folder, 'taskgate.db')}`;
  const store = await openStore(source, () => start);
  await populate(store);
  await store.close();
  sourceRows = await everything(source);
  await backUp(source, keys, join(folder, 'backup'));
  whole = readFileSync(join(folder, 'backup'));
});

/** Restores these bytes to where there is nothing; tells whether anything is there afterwards. */
async function tryRestore(bytes: Uint8Array, more: { keys?: Keys; otherKeys?: boolean } = {}) {
  const folder = newFolder();
  writeFileSync(join(folder, 'backup'), bytes);
  const address = `sqlite:${join(folder, 'taskgate.db')}`;
  const options = { path: join(folder, 'backup'), address, keys: more.keys ?? keys, otherKeys: more.otherKeys ?? false, replace: false, knownEpoch: 0 };
  const answer = await restoreBackup({ ...options, by: 'operator:test', clock: () => later }).then(
    () => null,
    (error: unknown) => error,
  );
  return { answer, left: readdirSync(folder).filter((name) => name !== 'backup') };
}

/** The file with another header or other lines, sealed again as somebody would who has every key. */
function forged(change: (header: Record<string, unknown>, lines: string[]) => void): Buffer {
  const end = whole.indexOf('\n');
  const header = JSON.parse(whole.subarray(0, end).toString()) as Record<string, unknown>;
  const lines = gunzipSync(whole.subarray(end + 1, -64))
    .toString()
    .trimEnd()
    .split('\n');
  change(header, lines);
  const content = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), gzipSync(`${lines.join('\n')}\n`)]);
  const digest = createHash('sha256').update(content).digest();
  const mac = createHmac('sha256', keys.anchor[0]!.bytes).update('taskgate-backup:').update(digest).digest();
  return Buffer.concat([content, digest, mac]);
}
const replaceIn = (lines: string[], from: RegExp, to: string): void => {
  const at = lines.findIndex((line) => from.test(line));
  if (at === -1) throw new Error(`no line has ${from}`);
  lines[at] = lines[at]!.replace(from, to);
};

describe('a backup is refused, and nothing is left behind,', () => {
  it('when it is cut off anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        const { answer, left } = await tryRestore(whole.subarray(0, length));
        expect(answer).toBeInstanceOf(BadBackup);
        expect(left).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('when any byte of it is another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Buffer.from(whole);
        changed[at] = changed[at]! ^ mask;
        const { answer, left } = await tryRestore(changed);
        expect(answer instanceof BadBackup || answer instanceof OtherKeys, String(answer)).toBe(true);
        expect(left).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['another kind of file', Buffer.from('SQLite format 3\0 and more\n'.repeat(100))],
    ['one long line of JSON', Buffer.from(`{"format":"${'x'.repeat(200_000)}`)],
    ['JSON that is no header', Buffer.from('{"format":"other"}\n'.repeat(20))],
  ])('when it is %s', async (_, bytes) => {
    expect(await tryRestore(bytes)).toMatchObject({ answer: expect.any(BadBackup), left: [] });
  });

  it.each<[string, RegExp, (header: Record<string, unknown>, lines: string[]) => void]>([
    ['a newer schema', /newer Taskgate \(schema 99/, (header) => Object.assign(header, { schema: 99 })],
    ['a newer format', /newer Taskgate made it/, (header) => Object.assign(header, { version: 2 })],
    ['a field of the header that nobody knows', /header is damaged/, (header) => Object.assign(header, { extra: 1 })],
    [
      'a record that says something else',
      /record of acme is broken at record/,
      (_, lines) => replaceIn(lines, /^(\["acme",3,.*"type\\":\\")[^"\\]+/, '$1call.refused'),
    ],
    [
      'a record less',
      /is broken|are missing/,
      (_, lines) =>
        void lines.splice(
          lines.findIndex((line) => line.startsWith('["acme",3,"')),
          1,
        ),
    ],
    [
      'an end of the record cut off, heads and all',
      /does not end where|rows of it are missing/,
      (header, lines) => {
        const heads = header['heads'] as { tenant: string; index: number }[];
        heads.find(({ tenant }) => tenant === 'acme')!.index -= 1;
        expect(lines.length).toBeGreaterThan(0);
      },
    ],
    ['another table', /tables are not those/, (_, lines) => replaceIn(lines, /"table":"votes"/, '"table":"polls"')],
    ['a row of another shape', /columns of its table/, (_, lines) => replaceIn(lines, /^\["globex",1,/, '[1,"globex",1,')],
    ['a row that holds a map', /no row can hold/, (_, lines) => replaceIn(lines, /^\["globex",1,/, '["globex",{"a":1},')],
    ['a number that is not exact', /no row can hold/, (_, lines) => replaceIn(lines, /^\["globex",1,/, '["globex",1.5,')],
    ['another count', /rows of it are missing/, (_, lines) => replaceIn(lines, /^\{"rows":\d+\}/, '{"rows":1}')],
    ['something after its end', /after its end/, (_, lines) => void lines.push('[]')],
  ])('when it has, sealed again by whoever has every key, %s', async (_, why, change) => {
    const { answer, left } = await tryRestore(forged(change));
    expect(answer).toBeInstanceOf(BadBackup);
    expect(String(answer)).toMatch(why);
    expect(left).toEqual([]);
  });

  it('when a row refers to one that is not there, found only while it is filled in', async () => {
    const { answer, left } = await tryRestore(forged((_, lines) => replaceIn(lines, /^\["acme","ses_z"/, '["acme","ses_y"')));
    expect(String(answer)).toMatch(/refers to one that is not in it/);
    expect(left).toEqual([]);
  });

  it('when the keys at hand are others, unless that is said to be right', async () => {
    const other = newKeys('other');
    expect(await tryRestore(whole, { keys: other })).toMatchObject({ answer: expect.any(OtherKeys), left: [] });
    expect(await tryRestore(whole, { keys: { ...keys, anchor: other.anchor } })).toMatchObject({ answer: expect.any(OtherKeys), left: [] });
    expect((await tryRestore(whole, { keys: other, otherKeys: true })).answer).toBeNull();
  });

  it('when it was changed and sealed again without the key', async () => {
    const end = whole.length - 64;
    const changed = forged((header) => Object.assign(header, { epoch: 1, made_at: '2020-01-01T00:00:00.000Z' }));
    const digest = createHash('sha256').update(changed.subarray(0, -64)).digest();
    const withoutKey = Buffer.concat([changed.subarray(0, -64), digest, whole.subarray(end + 32)]);
    const { answer } = await tryRestore(withoutKey);
    expect(String(answer)).toMatch(/without the key/);
  });
});

describe('a backup', () => {
  it('is its owner’s alone, replaces nothing, and leaves no half behind', async () => {
    const folder = newFolder();
    await backUp(source, keys, join(folder, 'backup'));
    expect(statSync(join(folder, 'backup')).mode & 0o777).toBe(0o600);
    const first = readFileSync(join(folder, 'backup'));
    await expect(backUp(source, keys, join(folder, 'backup'))).rejects.toThrow(/EEXIST/);
    expect(readFileSync(join(folder, 'backup'))).toEqual(first);
    expect(readdirSync(folder)).toEqual(['backup']);
  });

  it('that is broken off while it is written leaves nothing', async () => {
    const folder = newFolder();
    const snapshot = await openSnapshot(source);
    const broken: Snapshot = {
      ...snapshot,
      // biome-ignore lint/correctness/useYield: it fails before it has anything to yield
      async *rows() {
        throw new Error('the disk is gone');
      },
    };
    await expect(writeBackup(broken, keys, join(folder, 'backup'), later)).rejects.toThrow(/disk is gone/);
    await snapshot.close();
    expect(existsSync(join(folder, 'backup')) || readdirSync(folder).length > 0).toBe(false);
  });

  it('holds no key and no secret that is not sealed', () => {
    for (const ring of [keys.state, keys.hmac, keys.escrow, keys.anchor])
      for (const { bytes } of ring)
        for (const form of ['hex', 'base64', 'base64url'] as const)
          expect(gunzipSync(whole.subarray(whole.indexOf('\n') + 1, -64)).toString()).not.toContain(Buffer.from(bytes).toString(form));
  });

  it('of an older schema is brought up to date as it is restored', async () => {
    const folder = newFolder();
    const snapshot = await openSnapshot(source);
    const old: Snapshot = { ...snapshot, version: 1, tables: shapeOf(1) };
    await writeBackup(old, keys, join(folder, 'backup'), later);
    const address = `sqlite:${join(folder, 'taskgate.db')}`;
    const options = { path: join(folder, 'backup'), address, keys, otherKeys: false, replace: false, knownEpoch: 0, by: 'operator:test' };
    expect(await restoreBackup({ ...options, clock: () => later })).toMatchObject({ state: { epoch: 2 } });
    expect((await everything(address))['votes']).toEqual((await rowsOf(snapshot))['votes']);
    await snapshot.close();
    expect(await everything(source)).toEqual(sourceRows);
  });
});
