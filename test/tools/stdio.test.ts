import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamConnection } from '../../tools/index.ts';
import { at, call, type HeldPool, heldPool, hostile, samples, stdio, textOf } from './upstreams.ts';

let held: HeldPool;

describe('an upstream over stdio that misbehaves', () => {
  let hostileOne: UpstreamConnection;
  beforeAll(async () => {
    held = heldPool();
    hostileOne = await held.pool.connect('hostile', hostile());
  });
  afterAll(() => held.pool.close());

  it('gets only the environment its document names, and an empty working folder', async () => {
    const seen = JSON.parse(textOf(await call(hostileOne, 'env'))) as { env: object; cwd: string; files: string[] };
    expect(seen.env).toEqual({ SECRET_KEY: 'hunter2-hunter2' });
    expect(seen.files).toEqual([]);
    expect(seen.cwd).not.toBe(process.cwd());
  });

  it('passes every kind of content and structured content on whole', async () => {
    const outcome = await call(hostileOne, 'kinds');
    expect(outcome).toMatchObject({
      kind: 'result',
      result: {
        isError: false,
        content: [
          { type: 'text', text: 'words', annotations: { audience: ['user'] }, _meta: { own: 1 } },
          { type: 'image', data: 'aGk=', mimeType: 'image/png' },
          { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' },
          { type: 'resource_link', uri: 'file:///a', name: 'a', description: 'd' },
          { type: 'resource', resource: { uri: 'file:///b', mimeType: 'text/plain', text: 'b' } },
        ],
        structuredContent: { a: [1, { b: null }] },
      },
    });
  });

  it('is cut off at the deadline, told so, and the failure says the call was sent', async () => {
    expect(await call(hostileOne, 'hang', {}, { deadlineMs: 50 })).toEqual({ kind: 'failed', why: 'timeout', sent: true, detail: 'no answer within 50 ms' });
    expect(textOf(await call(hostileOne, 'cancelled'))).toBe('1');
  });

  it('is told when the caller goes away', async () => {
    const gone = new AbortController();
    const running = call(hostileOne, 'hang', {}, { signal: gone.signal });
    // A second call answered shows that the first has been read.
    await call(hostileOne, 'count');
    gone.abort();
    expect(await running).toMatchObject({ kind: 'failed', why: 'cancelled', sent: true });
    expect(textOf(await call(hostileOne, 'cancelled'))).toBe('2');
  });

  it('never hears of a call that was cancelled before it was sent', async () => {
    const before = textOf(await call(hostileOne, 'count'));
    expect(await call(hostileOne, 'kinds', {}, { signal: AbortSignal.abort() })).toMatchObject({ why: 'cancelled', sent: false });
    expect(textOf(await call(hostileOne, 'count'))).toBe(before);
  });

  it('has a result over the cap refused, while the connection stands', async () => {
    const outcome = await call(hostileOne, 'big', { bytes: 3_000 }, { maxResultBytes: 2_048 });
    expect(outcome).toMatchObject({ kind: 'failed', why: 'too_large', sent: true });
    expect(await call(hostileOne, 'big', { bytes: 1_000 }, { maxResultBytes: 2_048 })).toMatchObject({ kind: 'result' });
  });

  it('reports the bytes of what it answered', async () => {
    const outcome = await call(hostileOne, 'big', { bytes: 1_000 });
    expect(outcome.kind === 'result' && outcome.bytes).toBe(
      Buffer.byteLength(JSON.stringify({ content: [{ type: 'text', text: 'x'.repeat(1_000) }], isError: false })),
    );
  });

  it('is refused sampling: it is told the method does not exist', async () => {
    expect(textOf(await call(hostileOne, 'sample'))).toBe('-32601');
  });

  it('passes progress as numbers, without its words', async () => {
    const seen: unknown[][] = [];
    await call(hostileOne, 'progress', {}, { onProgress: (...args) => void seen.push(args) });
    expect(seen).toEqual([[1, 2]]);
  });

  it.each(['wrong', 'missing'])('fails as a protocol error when structured content is %s against its own output schema', async (tool) => {
    expect(await call(hostileOne, tool)).toMatchObject({ kind: 'failed', why: 'protocol', sent: true });
  });

  it('fails as a protocol error when its result has no content list', async () => {
    expect(await call(hostileOne, 'odd')).toMatchObject({ kind: 'failed', why: 'protocol', sent: true });
  });

  it('fails as a protocol error when its result is nested without end', async () => {
    expect(await call(hostileOne, 'deep', { depth: 100 })).toMatchObject({ kind: 'result' });
    expect(await call(hostileOne, 'deep', { depth: 50_000 })).toMatchObject({ kind: 'failed', why: 'protocol', sent: true });
  });

  it('has its error passed on as a refusal by its code alone: its words may quote secrets and arguments', async () => {
    const outcome = await call(hostileOne, 'error');
    expect(outcome).toMatchObject({ kind: 'failed', why: 'refused', sent: true });
    expect(outcome.kind === 'failed' && outcome.detail).toBe('it answered with error -32603');
  });

  it('may print nonsense to standard output without losing its connection', async () => {
    expect(textOf(await call(hostileOne, 'noise'))).toBe('still here');
  });

  it('has its definitions listed again once it announces a change, and not before', async () => {
    const before = await hostileOne.definitions();
    expect(await hostileOne.definitions()).toEqual(before);
    await call(hostileOne, 'change');
    expect((await hostileOne.definitions()).map(({ name }) => name)).toContain('added');
  });

  it('keeps answering others while one call hangs', async () => {
    const hanging = call(hostileOne, 'hang', {}, { deadlineMs: 300 });
    expect(textOf(await call(hostileOne, 'count'))).toMatch(/^\d+$/);
    expect(await hanging).toMatchObject({ why: 'timeout' });
  });
});

describe('an upstream over stdio that ends', () => {
  beforeEach(() => {
    held = heldPool();
  });
  afterEach(() => held.pool.close());

  it('fails the call it died in as died and sent, and is started again by the next connect', async () => {
    const first = await held.pool.connect('h', hostile());
    await call(first, 'count');
    expect(await call(first, 'die')).toEqual({ kind: 'failed', why: 'died', sent: true, detail: 'ended with code 7' });
    expect(await call(first, 'count')).toMatchObject({ kind: 'failed', why: 'died', sent: false });
    const second = await held.pool.connect('h', hostile());
    expect(textOf(await call(second, 'count'))).toBe('0');
  });

  it('is stopped when it floods, long before 50 MB are held', async () => {
    const connection = await held.pool.connect('h', hostile());
    const before = process.memoryUsage().rss;
    expect(await call(connection, 'flood')).toMatchObject({ kind: 'failed', why: 'too_large', sent: true });
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * 1_048_576);
  });

  it('is killed when it ignores both the end of its input and SIGTERM', async () => {
    const connection = await held.pool.connect('h', hostile('--stubborn'));
    await connection.close();
    expect(await call(connection, 'count')).toMatchObject({ why: 'died', sent: false });
  });

  it('is given up after three calls in a row ran out of time', async () => {
    const connection = await held.pool.connect('h', hostile());
    await call(connection, 'count');
    for (let i = 0; i < 3; i++) expect(await call(connection, 'hang', {}, { deadlineMs: 20 })).toMatchObject({ why: 'timeout' });
    expect(await call(connection, 'count')).toMatchObject({ why: 'died', sent: false });
    expect(await held.pool.connect('h', hostile())).not.toBe(connection);
  });

  it('writes to standard error without its secrets reaching the log', async () => {
    const connection = await held.pool.connect('h', hostile());
    await call(connection, 'noise');
    await held.pool.close();
    const logged = JSON.stringify(held.lines);
    expect(logged).toContain('failing with [secret]');
    expect(logged).not.toContain('hunter2');
  });
});

describe('older servers', () => {
  beforeEach(() => {
    held = heldPool();
  });
  afterEach(() => held.pool.close());

  it('connects to one that ends on being asked for its revision', async () => {
    const connection = await held.pool.connect('h', hostile('--exit-on-discover'));
    expect((await connection.definitions()).length).toBeGreaterThan(0);
  });

  it('connects to one that does not answer what it does not know', async () => {
    const hurried = heldPool({ connectMs: 5_000 });
    const connection = await hurried.pool.connect('h', hostile('--silent-on-discover'));
    expect((await connection.definitions()).length).toBeGreaterThan(0);
    await hurried.pool.close();
  });
});

describe('a server of the current revision', () => {
  beforeEach(() => {
    held = heldPool();
  });
  afterEach(() => held.pool.close());
  const modern = stdio([at('fixtures/modern.ts')]);

  it('may not ask for input: the call fails and is not tried again', async () => {
    const connection = await held.pool.connect('m', modern);
    expect(await call(connection, 'ask')).toMatchObject({ kind: 'failed', why: 'protocol', sent: true });
  });

  it('is sent the dispatch id and the trace context, and no capability', async () => {
    const connection = await held.pool.connect('m', modern);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const meta = JSON.parse(textOf(await call(connection, 'meta', {}, { traceparent, dispatch: 'dsp_x' }))) as Record<string, unknown>;
    expect(meta).toMatchObject({ traceparent, 'taskgate/dispatch': 'dsp_x' });
    expect(JSON.stringify(meta)).not.toMatch(/elicitation|sampling|roots/);
  });

  it('has its definitions listed again once it announces a change', async () => {
    const connection = await held.pool.connect('m', modern);
    await call(connection, 'change');
    await expect.poll(async () => (await connection.definitions()).map(({ name }) => name)).toContain('added');
  });
});

describe('what a Node child may do', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taskgate-test-'));
    await writeFile(join(folder, 'taskgate.db'), 'tenants and keys');
    held = heldPool({ forbidden: [folder] });
  });
  afterEach(async () => {
    await held.pool.close();
    await rm(folder, { recursive: true });
  });

  it('cannot read or write the data folder, list the machine, or start a process', async () => {
    const connection = await held.pool.connect('h', hostile());
    const tried = textOf(await call(connection, 'spy', { path: join(folder, 'taskgate.db') }));
    expect(tried).toBe('read: ERR_ACCESS_DENIED\nlist: ERR_ACCESS_DENIED\nwrite: ERR_ACCESS_DENIED\nspawn: ERR_ACCESS_DENIED');
  });

  it('can read what its command allows, and still not write it', async () => {
    const other = await mkdtemp(join(tmpdir(), 'taskgate-test-'));
    await writeFile(join(other, 'a.txt'), 'allowed');
    const connection = await held.pool.connect('h', { ...hostile(), allowRead: [other] });
    const tried = textOf(await call(connection, 'spy', { path: join(other, 'a.txt') }));
    expect(tried).toMatch(/^read: done allowed\nlist: ERR_ACCESS_DENIED\nwrite: ERR_ACCESS_DENIED/);
    await rm(other, { recursive: true });
  });

  it.each([
    ['the folder itself', (path: string) => path],
    ['the folder above', (path: string) => join(path, '..')],
    ['a wildcard over it', (path: string) => `${path.slice(0, -2)}*`],
    ['everything', () => '*'],
  ])('is not started when its command would let it read the data folder: %s', async (_, grant) => {
    await expect(held.pool.connect('h', { ...hostile(), allowRead: [grant(folder)] })).rejects.toThrow(/own data/);
  });

  it.each(['NODE_OPTIONS', 'NODE_PATH', 'LD_PRELOAD'])('is not started when its document sets %s, which could lift the confinement', async (name) => {
    await expect(held.pool.connect('h', { ...hostile(), env: { [name]: '--allow-fs-read=*' } })).rejects.toThrow(name);
  });

  it('removes the working folder once the child is gone', async () => {
    const connection = await held.pool.connect('h', hostile());
    const { cwd } = JSON.parse(textOf(await call(connection, 'env'))) as { cwd: string };
    expect(existsSync(cwd)).toBe(true);
    await connection.close();
    expect(existsSync(cwd)).toBe(false);
  });

  it('runs a command that is not Node as it is', async () => {
    await expect(held.pool.connect('h', { ...stdio([]), run: ['/nonexistent/server'] })).rejects.toThrow(/could not be started/);
  });
});

describe('starting many', () => {
  it('lists ten sample servers within five seconds', async () => {
    held = heldPool();
    const started = performance.now();
    const target = stdio([join(samples, 'mail.ts')]);
    const connections = await Promise.all(Array.from({ length: 10 }, (_, index) => held.pool.connect(`mail-${index}`, target)));
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(new Set(connections).size).toBe(10);
    await held.pool.close();
  });
});
