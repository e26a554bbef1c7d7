import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitionDigest, type ToolResult, type UpstreamCall, type UpstreamConnection } from '../../tools/index.ts';
import { call, type HeldPool, heldPool, packages, samples, stdio, textOf } from './upstreams.ts';

let held: HeldPool;
beforeAll(() => {
  held = heldPool();
});
afterAll(() => held.pool.close());

const payment = { invoice: 'INV-7', iban: 'DE02120300000000202051', amount: 600 };
const structured = async (connection: UpstreamConnection, tool: string, args: Record<string, unknown>): Promise<unknown> => {
  const outcome = await call(connection, tool, args);
  return outcome.kind === 'result' ? (outcome.result as ToolResult).structuredContent : outcome;
};

describe('the sample ledger', () => {
  const ledger = stdio([join(samples, 'ledger.ts')], { env: { LEDGER_KEY: 'key-of-acme' } });

  it('pays once for each call, and lists what it paid', async () => {
    const connection = await held.pool.connect('ledger', ledger);
    expect(await structured(connection, 'get_invoice', { invoice: 'INV-7' })).toMatchObject({ iban: payment.iban, amount: 600 });
    expect(await structured(connection, 'post_payment', payment)).toMatchObject({ id: 'PAY-1', amount: 600, memo: '' });
    expect(await structured(connection, 'list_payments', {})).toMatchObject({ payments: [{ id: 'PAY-1', ...payment }] });
  });

  it.each(['post_payment', 'get_invoice', 'list_payments'])('answers an error from %s when it has no key', async (tool) => {
    const connection = await held.pool.connect('ledger-without-key', { ...ledger, env: {} });
    expect(await call(connection, tool, payment)).toMatchObject({ kind: 'result', result: { isError: true } });
    expect(textOf(await call(connection, tool, payment))).toContain('No key');
  });
});

describe('the sample mailbox', () => {
  let child: ReturnType<typeof spawn>;
  let url: string;
  beforeAll(async () => {
    child = spawn(process.execPath, [join(samples, 'mail.ts'), '--http', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = child.stdout === null ? [''] : await once(child.stdout, 'data');
    url = String(line).trim();
  });
  afterAll(() => child.kill());
  const mail = stdio([join(samples, 'mail.ts')]);

  it('finds, reads and sends', async () => {
    const connection = await held.pool.connect('mail', mail);
    const found = (await structured(connection, 'search', { query: 'inv-7' })) as { messages: { id: string }[] };
    expect(found.messages.map(({ id }) => id)).toEqual(['MSG-1', 'MSG-2', 'MSG-3']);
    expect(await structured(connection, 'read_message', { id: 'MSG-1' })).toMatchObject({ subject: 'Invoice INV-7 for order PO-1042' });
    expect(await structured(connection, 'read_contract', { id: 'CON-1' })).toMatchObject({ supplier: 'Nordwind Papier GmbH' });
    expect(await structured(connection, 'send', { to: 'a@b.example', subject: 's', body: 'b' })).toEqual({ id: 'OUT-1', to: 'a@b.example' });
  });

  it('lists the same definitions over stdio and over HTTP', async () => {
    const overHttp = await held.pool.connect('mail-http', { type: 'http', url, headers: {}, egress: [new URL(url).host] });
    const digests = async (connection: UpstreamConnection) => (await connection.definitions()).map((definition) => definitionDigest(definition)).sort();
    expect(await digests(overHttp)).toEqual(await digests(await held.pool.connect('mail', mail)));
    expect(await structured(overHttp, 'read_message', { id: 'MSG-2' })).toMatchObject({ id: 'MSG-2' });
  });

  it('ends over HTTP with whoever started it', async () => {
    const orphan = spawn(process.execPath, [join(samples, 'mail.ts'), '--http', '0'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(orphan.stdout, 'data');
    orphan.stdin.destroy();
    expect(await once(orphan, 'exit')).toEqual([0, null]);
  });

  it.each([{ host: 'attacker.example' }, { origin: 'http://attacker.example' }])('refuses a web page that reaches it over HTTP: %j', async (headers) => {
    const asked = request(url, { method: 'POST', headers }).end('{}');
    const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(403);
  });
});

describe('the official servers, under the permission model', () => {
  const official = (name: string): string => join(packages, '@modelcontextprotocol', `server-${name}`, 'dist', 'index.js');

  it('everything lists and answers', async () => {
    const connection = await held.pool.connect('everything', stdio([official('everything')]));
    expect((await connection.definitions()).map(({ name }) => name)).toContain('echo');
    expect(textOf(await call(connection, 'echo', { message: 'hello' }))).toBe('Echo: hello');
    expect(await call(connection, 'get-tiny-image')).toMatchObject({ kind: 'result', result: { content: [{}, { type: 'image' }, {}] } });
    expect(await call(connection, 'get-structured-content', { location: 'New York' })).toMatchObject({ kind: 'result', result: { isError: false } });
  });

  it('everything lets be read and be prompted with', async () => {
    const connection = await held.pool.connect('readings', { ...stdio([official('everything')]), lists: ['resource', 'template', 'prompt'] });
    const at = (kind: UpstreamCall['kind'], address: string, args = {}) => call(connection, address, args, { kind });
    expect(JSON.stringify(await at('resource', 'demo://resource/static/document/architecture.md'))).toContain('# Everything Server');
    expect(JSON.stringify(await at('template', 'demo://resource/dynamic/text/{resourceId}', { resourceId: '2' }))).toContain('Resource 2:');
    expect(JSON.stringify(await at('prompt', 'args-prompt', { city: 'Ghent' }))).toContain("What's weather in Ghent?");
  });

  it('filesystem reads the folder it is given, and nothing else', async () => {
    const files = join(samples, 'files');
    const connection = await held.pool.connect('files', stdio([official('filesystem'), files], { allowRead: [files] }));
    expect(textOf(await call(connection, 'read_text_file', { path: join(files, 'suppliers.txt') }))).toContain('Nordwind');
    expect(await call(connection, 'list_directory', { path: files })).toMatchObject({ kind: 'result', result: { isError: false } });
    expect(await call(connection, 'read_text_file', { path: join(samples, 'ledger.ts') })).toMatchObject({ kind: 'result', result: { isError: true } });
    expect(await call(connection, 'write_file', { path: join(files, 'new.txt'), content: 'x' })).toMatchObject({ kind: 'result', result: { isError: true } });
  });

  it('memory keeps its file where its command allows', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'taskgate-test-'));
    const file = join(folder, 'memory.jsonl');
    const connection = await held.pool.connect(
      'memory',
      stdio([official('memory')], { allowRead: [folder], allowWrite: [folder], env: { MEMORY_FILE_PATH: file } }),
    );
    const entities = [{ name: 'PO-1042', entityType: 'order', observations: ['delivered'] }];
    expect(await structured(connection, 'create_entities', { entities })).toMatchObject({ entities });
    expect(await structured(connection, 'read_graph', {})).toMatchObject({ entities });
    expect(await readFile(file, 'utf8')).toContain('PO-1042');
    await connection.close();
    await rm(folder, { recursive: true });
  });
});
