import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Definition, definitionDigest, keyOf, type UpstreamConnection } from '../../tools/index.ts';
import { at, call, type HeldPool, heldPool, type StdioTarget, stdio } from './upstreams.ts';

/** An upstream's resources and prompts, as they are listed, read and taken. */

const all = ['tool', 'resource', 'template', 'prompt'] as const;
const library = (lists: StdioTarget['lists'], ...flags: string[]): StdioTarget =>
  stdio([at('fixtures/library.ts'), ...flags], lists === undefined ? {} : { lists });

let held: HeldPool;
let listed: (readonly Definition[])[];
beforeAll(() => {
  listed = [];
  held = heldPool({ onListed: (_, definitions) => listed.push(definitions) });
});
afterAll(() => held.pool.close());

const connect = (target: StdioTarget): Promise<UpstreamConnection> => held.pool.connect(JSON.stringify(target), target);
const askedOf = async (connection: UpstreamConnection): Promise<string[]> => {
  const outcome = await call(connection, 'asked');
  return JSON.parse(String(outcome.kind === 'result' && 'content' in outcome.result && outcome.result.content[0]?.['text'])) as string[];
};
const read = (connection: UpstreamConnection, address: string, more = {}) => call(connection, address, {}, { kind: 'resource', ...more });

describe('what an upstream lists', () => {
  it('is asked for of the kinds that are registered, and of no other', async () => {
    const tools = await connect(library(undefined));
    expect((await tools.definitions()).every(({ kind }) => kind === undefined)).toBe(true);
    expect((await askedOf(tools)).filter((method) => method.endsWith('/list'))).toEqual(['tools/list']);
    const prompts = await connect(library(['resource', 'prompt']));
    expect((await askedOf(prompts)).filter((method) => method.endsWith('/list'))).toEqual(['resources/list', 'prompts/list']);
    expect(new Set((await prompts.definitions()).map(({ kind }) => kind))).toEqual(new Set(['resource', 'prompt']));
  });

  it('of every kind is what tells how to use it, without what changes as its content does', async () => {
    const definitions = await (await connect(library(all))).definitions();
    const of = (key: string) => definitions.find((one) => keyOf(one) === key);
    expect(of('resource:library://handbook')).toEqual({
      ...{ kind: 'resource', uri: 'library://handbook', name: 'handbook', title: 'Handbook', mimeType: 'text/plain' },
      annotations: { priority: 1 },
    });
    expect(of('template:library://files/{+path}')).toEqual({ kind: 'template', uriTemplate: 'library://files/{+path}', name: 'file' });
    expect(of('prompt:summarise')).toEqual({
      ...{ kind: 'prompt', name: 'summarise', description: 'Sums a book up' },
      arguments: [{ name: 'book', description: 'Which', required: true }, { name: 'words' }],
    });
  });

  it('leaves out what nobody could register: addresses that are too long, tools named like what pins call a resource', async () => {
    const definitions = await (await connect(library(all))).definitions();
    expect(definitions.filter((one) => keyOf(one) === 'resource:library://handbook')).toHaveLength(1);
    expect(definitions.some((one) => keyOf(one).length > 2_100)).toBe(false);
  });

  it('of a kind it has not, or has no method for, is nothing', async () => {
    const definitions = await (await connect(library(all, '--no-prompts', '--no-templates'))).definitions();
    expect(new Set(definitions.map(({ kind }) => kind))).toEqual(new Set([undefined, 'resource']));
  });

  it.each([
    ['--twice', /two resources of one address/],
    ['--many', /more than 1000 resources/],
  ])('is not taken when it lists %s', async (misdeed, reason) => {
    await expect(connect(library(all, misdeed))).rejects.toThrow(reason);
  });

  it('is listed again when it announces that its resources changed', async () => {
    const connection = await connect(library(['tool', 'resource'], '--announces'));
    const before = (await connection.definitions()).map((one) => definitionDigest(one));
    const seen = listed.length;
    await call(connection, 'change', { annotations: { priority: 1, lastModified: '2026-02-02T00:00:00Z' }, size: 8 });
    await expect.poll(() => listed.length).toBeGreaterThan(seen);
    expect((await connection.definitions()).map((one) => definitionDigest(one))).toEqual(before);
  });
});

describe('a resource', () => {
  it('is read at its address, and the upstream’s `_meta` of the answer stays behind', async () => {
    const outcome = await read(await connect(library(all)), 'library://handbook');
    expect(outcome).toMatchObject({ kind: 'result', result: { contents: [{ uri: 'library://handbook', mimeType: 'text/plain' }] }, bytes: expect.any(Number) });
    expect(outcome.kind === 'result' && Object.keys(outcome.result)).toEqual(['contents']);
  });

  it('of a template is asked for by the variables, escaped, with the dispatch', async () => {
    const args = { shelf: '../..', book: 'a/b?\0ü' };
    const outcome = await call(await connect(library(all)), 'library://{shelf}/{book}.txt', args, { kind: 'template', dispatch: 'dsp_t' });
    const text = outcome.kind === 'result' && 'contents' in outcome.result ? String(outcome.result.contents[0]?.['text']) : '{}';
    expect(JSON.parse(text)).toMatchObject({ uri: 'library://..%2F../a%2Fb%3F%00%C3%BC.txt', meta: { 'taskgate/dispatch': 'dsp_t' } });
  });

  it.each([
    ['library://odd', {}, { why: 'protocol', sent: true }],
    ['library://big', { maxResultBytes: 5_000 }, { why: 'too_large', sent: true }],
    ['library://gone', {}, { why: 'refused', sent: true, detail: expect.stringMatching(/-32002/) }],
    ['library://hang', { deadlineMs: 200 }, { why: 'timeout', sent: true }],
    ['library://die', {}, { why: 'died', sent: true }],
  ])('that goes wrong fails as a call does: %s', async (address, more, failure) => {
    expect(await read(await connect(library(all, `--for=${address}`)), address, more)).toMatchObject({ kind: 'failed', ...failure });
  });
});

describe('a resource of an upstream of MCP 2026-07-28', () => {
  const modern: StdioTarget = { ...stdio([at('fixtures/modern.ts')]), lists: ['resource'] };

  it('is read anew each time, whatever its upstream says of how long it is good', async () => {
    const connection = await connect(modern);
    const first = await read(connection, 'modern://count', { dispatch: 'dsp_m' });
    const second = await read(connection, 'modern://count');
    expect(JSON.stringify(first)).toContain('dsp_m');
    expect(JSON.stringify(first)).not.toBe(JSON.stringify(second));
    expect(first.kind === 'result' && Object.keys(first.result)).toEqual(['contents']);
  });

  it('that asks for input is refused', async () => {
    expect(await read(await connect(modern), 'modern://ask')).toMatchObject({
      kind: 'failed',
      why: 'protocol',
      detail: expect.stringMatching(/asked for input/),
    });
  });

  it('that is new is listed once it was announced', async () => {
    const connection = await connect(modern);
    await read(connection, 'modern://change');
    await expect.poll(async () => (await connection.definitions()).map(keyOf)).toContain('resource:modern://added');
  });
});

describe('a prompt', () => {
  it('is taken with its arguments, and the upstream’s `_meta` stays behind', async () => {
    const outcome = await call(await connect(library(all)), 'summarise', { book: 'b' }, { kind: 'prompt', dispatch: 'dsp_p' });
    expect(outcome).toMatchObject({ kind: 'result', result: { description: 'Told', messages: [{ role: 'user' }] } });
    expect(outcome.kind === 'result' && Object.keys(outcome.result).sort()).toEqual(['description', 'messages']);
    expect(JSON.stringify(outcome)).toContain('dsp_p');
  });

  it('whose messages are no messages is not passed on', async () => {
    expect(await call(await connect(library(all)), 'odd', {}, { kind: 'prompt' })).toMatchObject({ kind: 'failed', why: 'protocol' });
  });
});
