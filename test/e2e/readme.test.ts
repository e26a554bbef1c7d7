import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyDocuments, freePort } from '../../server/cli/demo/documents.ts';
import { config } from '../../server/config.ts';
import { type Broker, startBroker } from '../../server/start.ts';

const root = join(import.meta.dirname, '../..');
let dir = '';
let broker: Broker;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'taskgate-readme-'));
  const { public_url: _, ...settings } = config.parse({
    listen: { port: 0 },
    data: join(dir, 'data'),
    store: `sqlite:${join(dir, 'data', 'taskgate.db')}`,
    documents: await copyDocuments(root, join(dir, 'documents'), await freePort()),
    log_level: 'silent',
  });
  broker = await startBroker(settings, { samples: true });
});
afterAll(async () => {
  await broker.close();
  await rm(dir, { recursive: true, force: true });
});

it("the README's first example runs as it is written", async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const script = [...readme.matchAll(/^```sh first-example\n([\s\S]*?)^```$/gm)].map(([, text]) => text).join('');
  expect(script).toMatch(/approval approve/);
  // A folder that looks like the checkout to the commands, with a data folder of its own.
  for (const name of ['node_modules', 'package.json', 'docs', 'server', 'tools', 'policies']) await symlink(join(root, name), join(dir, name));
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: dir,
    env: { ...process.env, TASKGATE_URL: broker.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  shell.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  shell.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(shell, 'close')) as [number];
  expect(code, said).toBe(0);
  expect(said).toContain('waiting for two people of finance');
  expect(said).toMatch(/paid: [\s\S]*"amount": 600/);
});
