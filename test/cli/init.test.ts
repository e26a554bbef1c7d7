import { lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Host, hosts, withEntry } from '../../server/cli/host-entries.ts';
import { newFolder } from '../support/broker.ts';
import { runCli } from './run-cli.ts';

let dir: string;
beforeAll(async () => {
  dir = await newFolder();
});
const init = (cwd: string, ...args: string[]) => runCli(['init', '--tenant', 'acme', ...args], { cwd });
const task = ['--agent', 'invoice-matcher', '--use-case', 'match-invoices', '--input', 'invoice=INV-7'];

/** What each host takes, as its documentation has it; anything else it would leave out or refuse. */
const started = { command: z.string().min(1), args: z.array(z.string()), env: z.record(z.string(), z.string()).optional() };
const loaders = {
  claude: z.looseObject({
    mcpServers: z.record(
      z.string(),
      z.union([z.strictObject({ type: z.literal('stdio').optional(), ...started }), z.strictObject({ type: z.enum(['http', 'sse']), url: z.url() })]),
    ),
  }),
  cursor: z.looseObject({ mcpServers: z.record(z.string(), z.union([z.strictObject(started), z.strictObject({ url: z.url() })])) }),
  vscode: z.looseObject({
    servers: z.record(
      z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]*$/),
      z.union([z.strictObject({ type: z.literal('stdio'), ...started }), z.strictObject({ type: z.literal('http'), url: z.url() })]),
    ),
  }),
} as const;
const files = { claude: '.mcp.json', cursor: '.cursor/mcp.json', vscode: '.vscode/mcp.json' } as const;
function load(host: Host, text: string): Record<string, Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return host === 'vscode' ? loaders.vscode.parse(value).servers : loaders[host].parse(value).mcpServers;
}

describe('taskgate init', () => {
  it.each(hosts)('writes what %s loads, a command or an address, and nothing else changes', async (host) => {
    const project = join(dir, host);
    await mkdir(project, { recursive: true });
    const ran = await init(project, '--client', host, ...task);
    expect(ran).toMatchObject({ exit: 0, stderr: '' });
    const file = join(project, files[host]);
    const { taskgate } = load(host, await readFile(file, 'utf8'));
    expect(taskgate).toMatchObject({ command: 'npx' });
    const args = taskgate?.['args'] as string[];
    expect(args.slice(0, 10)).toEqual([
      'taskgate',
      'connect',
      '--tenant',
      'acme',
      '--agent',
      'invoice-matcher',
      '--use-case',
      'match-invoices',
      '--input',
      'invoice=INV-7',
    ]);
    expect(args.slice(10)).toEqual(['--data', join(project, 'data')]);
    expect(await init(project, '--client', host, '--browser', '--name', 'by-hand')).toMatchObject({ exit: 0 });
    const both = load(host, await readFile(file, 'utf8'));
    expect(both).toEqual({ taskgate, 'by-hand': expect.objectContaining({ url: 'http://localhost:7411/t/acme/mcp' }) });
  });

  it('is understood by `connect`, word for word', async () => {
    const project = join(dir, 'cursor');
    const { taskgate } = load('cursor', await readFile(join(project, files.cursor), 'utf8'));
    const args = ((taskgate?.['args'] ?? []) as string[]).slice(1);
    const ran = await runCli(args, { env: { TASKGATE_URL: 'http://127.0.0.1:9' } });
    expect(ran.stderr).not.toMatch(/unknown option|--help/);
    expect(ran.exit).not.toBe(2);
  });

  it('keeps an entry of that name unless told, and writes the same twice', async () => {
    const project = join(dir, 'claude');
    const file = join(project, files.claude);
    const before = await readFile(file, 'utf8');
    expect(await init(project, '--client', 'claude', ...task)).toMatchObject({ exit: 0 });
    expect(await readFile(file, 'utf8')).toBe(before);
    const refused = await init(project, '--client', 'claude', '--browser');
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining('--replace')]);
    expect(await readFile(file, 'utf8')).toBe(before);
    expect(await init(project, '--client', 'claude', '--browser', '--replace')).toMatchObject({ exit: 0 });
  });

  it.each([
    ['a trailing comma', '{ "servers": { "a": { "url": "https://a.example/mcp" }, } }'],
    ['a key twice', '{ "servers": {}, "servers": { "a": {} } }'],
    ['a list', '[]'],
    ['servers that are a list', '{ "servers": [] }'],
    ['half a file', '{ "servers": {'],
  ])('leaves a file with %s as it is, and says what to do', async (_, text) => {
    const file = join(dir, 'broken.json');
    await writeFile(file, text);
    const ran = await init(dir, '--client', 'vscode', '--browser', '--file', file);
    expect([ran.exit, ran.stderr]).toEqual([1, expect.stringContaining('--print')]);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('keeps comments where the host reads past them, and every other letter, and refuses them where it does not', async () => {
    const file = join(dir, 'commented.json');
    const text = '{\n\t// mine\n\t"servers": {\n\t\t"a": {\n\t\t\t"url": "https://a.example/mcp"\n\t\t} // as before\n\t},\n\t"more":  [1.50,2]\n}\n';
    await writeFile(file, text);
    expect(await init(dir, '--client', 'vscode', '--browser', '--file', file)).toMatchObject({ exit: 0 });
    const after = await readFile(file, 'utf8');
    const made = after.replace(/,\s*"taskgate": \{[^}]*\}/, '');
    expect(after).toMatch(/"taskgate": \{\n\t\t\t"type": "http",\n/);
    expect(made).toBe(text);
    await writeFile(file, '{\n  // mine\n  "mcpServers": {}\n}');
    expect(await init(dir, '--client', 'claude', '--browser', '--file', file)).toMatchObject({ exit: 1, stderr: expect.stringContaining('--print') });
  });

  it('prints without writing, and writes where a link leads', async () => {
    const printed = await init(dir, '--client', 'vscode', '--browser', '--print');
    expect(load('vscode', printed.stdout)).toEqual({ taskgate: { type: 'http', url: 'http://localhost:7411/t/acme/mcp' } });
    await expect(readFile(join(dir, files.vscode))).rejects.toThrow('ENOENT');
    await writeFile(join(dir, 'real.json'), '{"other":1}', { mode: 0o600 });
    await symlink(join(dir, 'real.json'), join(dir, 'link.json'));
    expect(await init(dir, '--client', 'claude', '--browser', '--file', 'link.json')).toMatchObject({ exit: 0 });
    expect((await lstat(join(dir, 'link.json'))).isSymbolicLink()).toBe(true);
    expect((await lstat(join(dir, 'real.json'))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(join(dir, 'real.json'), 'utf8'))).toMatchObject({ other: 1, mcpServers: { taskgate: { type: 'http' } } });
  });

  it('loses nothing of any file, whatever stands in it', () => {
    const options = { where: 'f', replace: false };
    const text = fc.string({ unit: 'grapheme' }).filter((one) => one.isWellFormed() && one !== '__proto__');
    const json = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.dictionary(text, text)), { noNullPrototype: true });
    fc.assert(
      fc.property(json, json, fc.constantFrom(...hosts), (rest, servers, host) => {
        const key = host === 'vscode' ? 'servers' : 'mcpServers';
        const before = { ...rest, [key]: servers };
        const after = JSON.parse(withEntry(JSON.stringify(before), host, 'taskgate-new', { url: 'https://b.example/mcp' }, options)) as Record<
          string,
          Record<string, unknown>
        >;
        const { 'taskgate-new': made, ...kept } = after[key] ?? {};
        expect(made).toMatchObject({ url: 'https://b.example/mcp' });
        expect({ ...after, [key]: kept }).toEqual(before);
        expect(Object.keys(after)).toEqual(Object.keys(before));
      }),
      { numRuns: 60 },
    );
  });
});
