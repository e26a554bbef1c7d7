import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKeys } from '../../server/credentials/index.ts';

let dir = '';
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'taskgate-keys-')), 'keys');
});
afterEach(() => rm(join(dir, '..'), { recursive: true, force: true }));

describe("the broker's own keys", () => {
  it('are made at first start, one file a purpose, readable by their owner alone', async () => {
    await openKeys(dir, () => 1_000);
    const files = (await readdir(dir)).sort();
    expect(files).toEqual(['anchor.json', 'escrow.json', 'hmac.json', 'state.json', 'token.json']);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    for (const file of files) expect((await stat(join(dir, file))).mode & 0o777, file).toBe(0o600);
  });

  it('are the same after a restart', async () => {
    const first = await openKeys(dir, () => 1_000);
    const second = await openKeys(dir, () => 2_000);
    expect(second.token[0]?.publicJwk).toEqual(first.token[0]?.publicJwk);
    expect(second.escrow[0]?.bytes).toEqual(first.escrow[0]?.bytes);
  });

  it('are separate: no two purposes share bytes', async () => {
    const keys = await openKeys(dir, () => 1_000);
    const bytes = [keys.state, keys.hmac, keys.escrow].map((ring) => Buffer.from(ring[0]?.bytes ?? []).toString('hex'));
    expect(new Set(bytes).size).toBe(3);
  });

  it.each([
    ['half a file', '[{"id":"a"'],
    ['no key at all', '[]'],
    ['a short key', '[{"id":"a","created_at":1,"retires_at":null,"bytes":"AAAA"}]'],
    ['a field nobody knows', '[{"id":"a","created_at":1,"retires_at":null,"bytes":"AAAA","extra":1}]'],
  ])('stop the start when a file holds %s, instead of being made anew', async (_what, text) => {
    await openKeys(dir, () => 1_000);
    await writeFile(join(dir, 'escrow.json'), text);
    await expect(openKeys(dir, () => 2_000)).rejects.toThrow();
    expect(await readFile(join(dir, 'escrow.json'), 'utf8')).toBe(text);
  });
});
