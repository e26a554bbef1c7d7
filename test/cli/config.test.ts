import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig } from '../../server/cli/config.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'taskgate-config-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const load = async (yaml: string | null, env: Record<string, string> = {}, flags: Record<string, unknown> = {}) => {
  const file = join(dir, 'taskgate.yaml');
  await writeFile(file, yaml ?? '');
  return loadConfig({ file, env, flags });
};

it('needs nothing: every value has a default that works on one machine', async () => {
  expect(await load(null)).toMatchObject({ listen: { port: 7411, hosts: ['127.0.0.1', '::1'] }, data: './data', store: 'sqlite:./data/taskgate.db' });
});

it('lets the command line win over the environment, and that over the file', async () => {
  const yaml = 'listen: { port: 1, hosts: [127.0.0.1] }\nlog_level: warn\nhold_ms: 5\n';
  const config = await load(yaml, { TASKGATE_LISTEN_PORT: '2', TASKGATE_HOLD_MS: '6' }, { 'listen.port': 3 });
  expect(config).toMatchObject({ listen: { port: 3, hosts: ['127.0.0.1'] }, log_level: 'warn', hold_ms: 6 });
});

it('puts the store into the data folder unless it is said to lie elsewhere', async () => {
  expect((await load('data: /srv/taskgate\n')).store).toBe('sqlite:/srv/taskgate/taskgate.db');
  expect((await load('data: /srv/taskgate\nstore: sqlite:/elsewhere.db\n')).store).toBe('sqlite:/elsewhere.db');
});

it('reads lists from the environment', async () => {
  expect((await load(null, { TASKGATE_DOCUMENTS: 'a, b' })).documents).toEqual(['a', 'b']);
});

it('leaves the public URL to the broker when none is given, since it hangs on the port', async () => {
  expect(await load(null)).not.toHaveProperty('public_url');
  expect((await load(null, { TASKGATE_PUBLIC_URL: 'https://gate.example' })).public_url).toBe('https://gate.example');
});

it.each([
  ['an unknown setting', 'listen: { prot: 1 }\n', /listen/],
  ['a port that is none', 'listen: { port: 70000 }\n', /listen\.port/],
  ['a store it cannot open', 'store: redis://x\n', /store/],
  ['a key given twice', 'data: a\ndata: b\n', /unique/i],
  ['a list in place of settings', '- a\n', /not a map/],
])('refuses %s and names the place', async (_what, yaml, words) => {
  await expect(load(yaml)).rejects.toThrow(words);
});

it('refuses a number in the environment that is none', async () => {
  await expect(load(null, { TASKGATE_LISTEN_PORT: 'many' })).rejects.toThrow(/listen\.port/);
});

it('refuses a named file that is not there, but not the default one', async () => {
  await expect(loadConfig({ file: join(dir, 'absent.yaml'), env: {}, flags: {} })).rejects.toThrow('cannot read');
});

it('takes every limit from the environment by its path, and refuses one that is none', async () => {
  const { limits } = await load('limits: { wait_ms: 1 }\n', { TASKGATE_LIMITS_REQUESTS_SESSION_BURST: '7', TASKGATE_LIMITS_CHILDREN_IDLE_MS: '2000' });
  expect(limits).toMatchObject({ wait_ms: 1, requests: { session: { per_second: 20, burst: 7 } }, children: { tenant: 16, idle_ms: 2_000 } });
  await expect(load(null, { TASKGATE_LIMITS_WAIT_MS: 'soon' })).rejects.toThrow(/limits\.wait_ms/);
});
