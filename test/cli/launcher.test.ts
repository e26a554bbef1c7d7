import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launcher, runCli } from './run-cli.ts';

/** A Node that is too old: the launcher's own text under another version number. */
let dir: string;
let copy: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'taskgate-launcher-'));
  copy = join(dir, 'server', 'cli', 'taskgate.mjs');
  await mkdir(join(dir, 'server', 'cli'), { recursive: true });
  await cp(launcher, copy);
  await writeFile(join(dir, 'old.cjs'), "Object.defineProperty(process.versions, 'node', { value: '20.20.2' });");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const old = (args: readonly string[]): string[] => ['--require', join(dir, 'old.cjs'), copy, ...args];

async function installNode(script: string): Promise<void> {
  const bin = join(dir, 'node_modules', 'node', 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'node'), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, 'node'), 0o755);
}

describe('on a Node that is too old', () => {
  it('says which it needs and where it comes from when no newer one is installed', () => {
    const { status, stderr } = spawnSync(process.execPath, old(['serve']), { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('needs Node 24.12');
    expect(stderr).toContain('npm ci');
  });

  it('runs the same words under the Node that npm ci brought, with its streams and its exit code', async () => {
    await installNode('shift; echo "out:$*"; cat; exit 7');
    const { status, stdout } = spawnSync(process.execPath, old(['audit', 'verify', 'a file']), { encoding: 'utf8', input: 'stdin' });
    expect(stdout).toBe('out:audit verify a file\nstdin');
    expect(status).toBe(7);
  });

  it('passes SIGTERM on and ends when the other has', async () => {
    await installNode('trap "echo ended; exit 3" TERM; echo ready; for _ in 1 2 3 4 5 6 7 8 9; do sleep 1 & wait $!; done');
    const child = spawn(process.execPath, old(['serve']), { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(3);
  });

  it('does not start itself over and over when the installed one is as old', async () => {
    await installNode(`exec "${process.execPath}" --require "${join(dir, 'old.cjs')}" "$@"`);
    const { status, stderr } = spawnSync(process.execPath, old(['serve']), { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('needs Node 24.12');
  });
});

it('runs the build, not the sources, when it lies below node_modules', async () => {
  const root = join(dir, 'node_modules', 'taskgate');
  await mkdir(join(root, 'server', 'cli'), { recursive: true });
  await mkdir(join(root, 'dist', 'server', 'cli'), { recursive: true });
  for (const file of ['taskgate.mjs', 'spare.mjs', 'sdk-shims.mjs']) await cp(join(launcher, '..', file), join(root, 'server', 'cli', file));
  await writeFile(join(root, 'dist', 'server', 'cli', 'main.js'), "exports.run = (args) => console.log('built', args.join(' '));");
  const { stdout } = spawnSync(process.execPath, [join(root, 'server', 'cli', 'taskgate.mjs'), 'serve', '--json'], { encoding: 'utf8' });
  expect(stdout).toBe('built serve --json\n');
});

it('is what `npx taskgate` runs in a clone', async () => {
  const { bin } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(join(import.meta.dirname, '../..', bin.taskgate)).toBe(launcher);
  const { stdout, status } = spawnSync('npx', ['taskgate', '--version'], { encoding: 'utf8', cwd: join(import.meta.dirname, '../..') });
  expect({ stdout: stdout.trim(), status }).toEqual({ stdout: '0.1.0', status: 0 });
});

it.each([
  [['bogus'], 2],
  [['serve', '--port', 'x'], 2],
  [['connect', '--tenant', 'acme'], 2],
  [['approval', 'deny', 'apr_x'], 2],
  [['--help'], 0],
  [['session', 'open', '--help'], 0],
  [['session', 'list'], 4],
  [['audit', 'verify', '/nowhere.jsonl'], 1],
])('%j ends with %i', async (args, exit) => {
  expect((await runCli(args, { cwd: dir })).exit).toBe(exit);
});
