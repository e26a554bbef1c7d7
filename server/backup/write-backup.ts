import { createHash, randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Keys } from '../credentials/index.ts';
import type { Snapshot } from '../store/index.ts';
import { formatVersion, type Header, macOf, rowLine } from './format.ts';

/** Told how many rows of a table are through. */
export type Progress = (table: string, rows: number) => void;

export interface WrittenBackup {
  readonly header: Header;
  /** SHA-256 over all but the trailer, hex. */
  readonly sha256: string;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Writes a snapshot to `path` (0600), which must not exist: under another name first, so that what stands there is whole. `at`: epoch
 * milliseconds. Rejects with `StoreUnavailable`, or with what the file system said.
 */
export async function writeBackup(snapshot: Snapshot, keys: Keys, path: string, at: number, progress: Progress = () => undefined): Promise<WrittenBackup> {
  const [key] = keys.anchor;
  if (!key) throw new Error('there is no key to vouch for a backup');
  const header = headerOf(snapshot, keys, key.id, at);
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    const put = async (chunk: Uint8Array): Promise<void> => {
      hash.update(chunk);
      await file.writeFile(chunk);
    };
    await put(Buffer.from(`${JSON.stringify(header)}\n`));
    let rows = 0;
    const counted: Progress = (table, count) => {
      rows += count;
      progress(table, count);
    };
    await pipeline(lines(snapshot, counted), createGzip(), async (compressed: AsyncIterable<Uint8Array>) => {
      for await (const chunk of compressed) await put(chunk);
    });
    const digest = hash.digest();
    await file.writeFile(Buffer.concat([digest, macOf(key, digest)]));
    await file.sync();
    const { size } = await file.stat();
    // A link, unlike a renaming, replaces nothing.
    await link(draft, path);
    await syncFolder(dirname(path));
    return { header, sha256: digest.toString('hex'), rows, bytes: size };
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

function headerOf({ version, state }: Snapshot, keys: Keys, macKey: string, at: number): Header {
  const idsOf = (ring: readonly { readonly id: string }[]): string[] => ring.map(({ id }) => id);
  return {
    format: 'taskgate-backup',
    version: formatVersion,
    schema: version,
    store: state.store,
    epoch: state.epoch,
    made_at: new Date(at).toISOString(),
    heads: state.heads.map(({ tenant, index, hash }) => ({ tenant, index, hash })),
    keys: { token: idsOf(keys.token), state: idsOf(keys.state), hmac: idsOf(keys.hmac), escrow: idsOf(keys.escrow) },
    mac_key: macKey,
  };
}

async function* lines(snapshot: Snapshot, progress: Progress): AsyncGenerator<string> {
  let all = 0;
  for (const table of snapshot.tables) {
    yield `${JSON.stringify({ table: table.name, columns: table.columns })}\n`;
    let rows = 0;
    for await (const batch of snapshot.rows(table)) {
      yield batch.map((row) => `${rowLine(row)}\n`).join('');
      rows += batch.length;
    }
    all += rows;
    progress(table.name, rows);
  }
  yield `${JSON.stringify({ rows: all })}\n`;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
