import { createHash, timingSafeEqual } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parseJsonStrict } from '../../tools/index.ts';
import type { SecretKey } from '../credentials/index.ts';
import { type Row, rowsAtOnce, schemaVersion, shapeOf, type TableShape } from '../store/index.ts';
import { checkChains } from './check-chains.ts';
import { BadBackup, formatVersion, type Header, header, longestLine, macOf, parseRow, trailerBytes } from './format.ts';

export interface OpenedBackup {
  readonly header: Header;
  /**
   * Every row, each batch of one table, in an order in which they can be inserted. Throws `BadBackup` at the latest after the last
   * row, so nothing of it may be kept before the end. Answers the digest, hex.
   */
  rows(vouch: SecretKey | null): AsyncGenerator<{ readonly table: TableShape; readonly rows: readonly Row[] }, string>;
  close(): Promise<void>;
}

/** Opens a backup and reads its header. Rejects with `BadBackup`, or with what the file system said. */
export async function openBackup(path: string): Promise<OpenedBackup> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const line = await readHeaderLine(file, size);
    const parsed = parseHeader(line);
    return {
      header: parsed,
      rows: (vouch) => readRows(file, line, size, parsed, vouch),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeaderLine(file: FileHandle, size: number): Promise<Buffer> {
  let read = Buffer.alloc(0);
  while (read.length < Math.min(size, longestLine)) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536, read.length);
    if (bytesRead === 0) break;
    const end = buffer.subarray(0, bytesRead).indexOf(0x0a);
    read = Buffer.concat([read, buffer.subarray(0, end === -1 ? bytesRead : end)]);
    if (end !== -1) return read;
    if (!read.subarray(0, 1).equals(Buffer.from('{'))) break;
  }
  throw new BadBackup('it is not a backup');
}

function parseHeader(line: Buffer): Header {
  let json: unknown;
  try {
    json = parseJsonStrict(line, { bytes: longestLine, depth: 16 });
  } catch {
    throw new BadBackup('it is not a backup');
  }
  if (typeof json !== 'object' || json === null || !('format' in json) || json.format !== 'taskgate-backup') throw new BadBackup('it is not a backup');
  const { version, schema } = json as { version?: unknown; schema?: unknown };
  if (typeof version === 'number' && version > formatVersion)
    throw new BadBackup(`a newer Taskgate made it (format ${version}; this one knows ${formatVersion})`);
  if (typeof schema === 'number' && schema > schemaVersion)
    throw new BadBackup(`it is of a newer Taskgate (schema ${schema}; this one knows ${schemaVersion}): restore it with that one`);
  const parsed = header.safeParse(json);
  if (!parsed.success) throw new BadBackup(`its header is damaged: ${parsed.error.issues[0]?.path.join('.')}`);
  return parsed.data;
}

async function* readRows(
  file: FileHandle,
  line: Buffer,
  size: number,
  { schema, heads }: Header,
  vouch: SecretKey | null,
): AsyncGenerator<{ table: TableShape; rows: readonly Row[] }, string> {
  const [start, end] = [line.length + 1, size - trailerBytes];
  if (end <= start) throw new BadBackup('its end is missing');
  const hash = createHash('sha256').update(line).update('\n');
  const chains = checkChains(heads);
  const stored = new Map<string, { next: number; hash: string }>();
  for await (const batch of tablesOf(linesOf(file, start, end, hash), shapeOf(schema))) {
    if (batch.table.name === 'records') for (const row of batch.rows) chains.see(named(batch.table, row));
    if (batch.table.name === 'chain_heads') {
      for (const row of batch.rows.map((one) => named(batch.table, one)))
        if (Number(row['next']) > 0) stored.set(String(row['tenant']), { next: Number(row['next']), hash: String(row['hash']) });
    }
    yield batch;
  }
  chains.end(stored);
  const trailer = Buffer.alloc(trailerBytes);
  if ((await file.read(trailer, 0, trailerBytes, end)).bytesRead < trailerBytes) throw new BadBackup('its end is missing');
  const digest = hash.digest();
  if (!digest.equals(trailer.subarray(0, 32))) throw new BadBackup('its content is not what its SHA-256 says');
  if (vouch && !timingSafeEqual(macOf(vouch, digest), trailer.subarray(32)))
    throw new BadBackup('it was changed by somebody without the key it was made under');
  return digest.toString('hex');
}

const named = ({ columns }: TableShape, row: Row): Record<string, Row[number]> =>
  Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null]));

/** The lines of the compressed part; each compressed byte goes through `hash` on its way. */
async function* linesOf(file: FileHandle, start: number, end: number, hash: { update(chunk: Uint8Array): unknown }): AsyncGenerator<string> {
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, Math.min(65_536, end - at), at);
      if (bytesRead === 0) throw new BadBackup('its end is missing');
      at += bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      yield chunk;
    }
  }
  const inflated = pipeline(hashed(), createGunzip(), () => undefined);
  let pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of inflated as AsyncIterable<Buffer>) {
      let from = 0;
      for (let to = chunk.indexOf(0x0a); to !== -1; to = chunk.indexOf(0x0a, from)) {
        yield Buffer.concat([...pieces, chunk.subarray(from, to)]).toString('utf8');
        pieces = [];
        length = 0;
        from = to + 1;
      }
      pieces.push(chunk.subarray(from));
      length += chunk.length - from;
      if (length > longestLine) throw new BadBackup('a row of it is too long');
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) throw new BadBackup('it is damaged or its end is missing');
    throw error;
  }
  if (length > 0) throw new BadBackup('its last line is not whole');
}

/** The tables of the schema, each once and in order, then the count; nothing else. */
async function* tablesOf(lines: AsyncIterable<string>, tables: readonly TableShape[]): AsyncGenerator<{ table: TableShape; rows: Row[] }> {
  const expected = [...tables];
  let table: TableShape | null = null;
  let rows: Row[] = [];
  let count = 0;
  let ended = false;
  for await (const line of lines) {
    if (ended) throw new BadBackup('something stands after its end');
    const parsed = parseLine(line);
    if (Array.isArray(parsed)) {
      if (!table) throw new BadBackup('a row belongs to no table');
      rows.push(parseRow(parsed, table.columns.length));
      count += 1;
    }
    const full = rows.length === rowsAtOnce || (rows.length > 0 && !Array.isArray(parsed));
    if (table && full) {
      yield { table, rows };
      rows = [];
    }
    if (Array.isArray(parsed)) continue;
    const begun = parsed as Readonly<Record<string, unknown>>;
    if ('rows' in begun) {
      if (begun['rows'] !== count || expected.length > 0) throw new BadBackup('rows of it are missing');
      ended = true;
      continue;
    }
    table = expected.shift() ?? null;
    if (!table || begun['table'] !== table.name || JSON.stringify(begun['columns']) !== JSON.stringify(table.columns))
      throw new BadBackup('its tables are not those of its schema');
  }
  if (!ended) throw new BadBackup('its end is missing');
}

function parseLine(line: string): object {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Said below.
  }
  throw new BadBackup('a line of it is neither a table nor a row');
}
