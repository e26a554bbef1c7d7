import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launcher } from './run-cli.ts';

let dir: string;
let broker: ChildProcess;
let url: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'taskgate-serve-'));
  broker = spawn(
    process.execPath,
    ['--heap-growing-percent=60', '--import', join(import.meta.dirname, 'fixtures/tell-modules.mjs'), launcher, 'serve', '--json', '--port', '0'],
    {
      cwd: dir,
      env: { PATH: process.env['PATH'] ?? '', TASKGATE_TEST_LOADED: join(dir, 'loaded') },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const [line] = (await once(broker.stdout as NonNullable<typeof broker.stdout>, 'data')) as [Buffer];
  url = (JSON.parse(line.toString()) as { url: string }).url;
}, 90_000);
afterAll(async () => {
  if (broker.exitCode === null && broker.kill()) await once(broker, 'exit');
  await rm(dir, { recursive: true, force: true });
});

const loaded = async (): Promise<string> => readFile(join(dir, 'loaded'), 'utf8');

/** What Linux has of the process: its words or its surroundings. */
const procOf = async (name: 'cmdline' | 'environ'): Promise<readonly string[]> => (await readFile(`/proc/${broker.pid}/${name}`, 'utf8')).split('\0');

describe.runIf(process.platform === 'linux')('how a broker is started', () => {
  it('is with a heap and an allocator that give back what they do not need, in the process that was asked for', async () => {
    const flags = ['--max-semi-space-size=8', '--v8-pool-size=2', '--no-maglev'];
    expect(await procOf('cmdline')).toEqual(expect.arrayContaining([...flags, 'serve']));
    expect(await procOf('environ')).toContain('MALLOC_TRIM_THRESHOLD_=131072');
  });

  it('has what whoever started it has set behind its own, where it counts', async () => {
    const words = await procOf('cmdline');
    expect(words.filter((word) => word.startsWith('--heap-growing-percent'))).toEqual(['--heap-growing-percent=40', '--heap-growing-percent=60']);
  });
});

describe('what a broker holds in memory', () => {
  it('is nothing of its libraries that it never asks for', async () => {
    const held = (await loaded()).split('\n');
    for (const used of ['/zod/v4/locales/en.js', '/@modelcontextprotocol/client/', '/@modelcontextprotocol/server/'])
      expect(held.filter((one) => one.includes(used))).not.toEqual([]);
    for (const idle of [/\/ajvProvider-/, /\/zod\/v4\/locales\/(?!en\.js$)/]) expect(held.filter((one) => idle.test(one))).toEqual([]);
  });

  it('is no door of people before the first of them comes, and nothing that only some tenants need', async () => {
    const held = await loaded();
    expect(held).toContain('/server/mcp/routes.');
    for (const idle of [
      '/server/console/',
      '/server/api/',
      '/nodemailer/',
      '/openid-client/',
      '/@simplewebauthn/',
      '/@modelcontextprotocol/sdk/',
      '/pg/',
      '/store/postgres/',
    ])
      expect(held.split('\n').filter((one) => one.includes(idle))).toEqual([]);
  });

  it('is each of these doors from then on', async () => {
    expect((await fetch(`${url}/v1/me`)).status).toBe(401);
    expect((await fetch(`${url}/console/login`)).status).toBe(200);
    const held = await loaded();
    expect(held).toContain('/server/api/routes.');
    expect(held).toContain('/server/console/routes.');
  });
});
