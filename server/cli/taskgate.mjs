#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

// Plain JavaScript that any Node since 14 can parse: it must run before we know which Node this is.
const needed = [24, 12];
const [major, minor] = process.versions.node.split('.').map(Number);
const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

/** Left to itself V8 lets a broker's heap grow to four times what lives in it, and compiles what it runs thrice. */
const frugal = ['--max-semi-space-size=8', '--heap-growing-percent=40', '--v8-pool-size=2', '--no-maglev'];
/** What compiling has used and given back glibc keeps, for each thread by itself, some 50 MiB in all; above this much it goes back to the system. */
const allocator = { MALLOC_TRIM_THRESHOLD_: '131072' };

if (major > needed[0] || (major === needed[0] && minor >= needed[1])) {
  const serves = process.argv[2] === 'serve';
  if (serves) beginAnew();
  // Compiled code, and types stripped, are kept beside the code itself, where only whoever may change that can write; where nobody can, nothing is kept.
  const { enableCompileCache } = await import('node:module');
  process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'taskgate');
  enableCompileCache();
  if (serves) (await import('./spare.mjs')).spareLibraries();
  // Node does not strip types below node_modules: the published package brings its build, a clone runs its sources.
  const published = here.includes(`${sep}node_modules${sep}`);
  const { run } = await import(published ? '../../dist/server/cli/main.js' : './main.ts');
  await run(process.argv.slice(2));
} else {
  const newer = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (process.env.TASKGATE_RELAUNCHED !== undefined || !existsSync(newer)) {
    process.stderr.write(
      `taskgate needs Node ${needed.join('.')} or newer; this is ${process.versions.node}.\n` +
        '  In a clone, `npm ci` brings one along. Elsewhere: `npm install node@24` beside taskgate, or https://nodejs.org/en/download\n',
    );
    process.exit(1);
  }
  relaunch(newer);
}

/**
 * V8 and the allocator take these only at their start: the process begins anew in its place, where the system can do that, keeping its id
 * and streams. What whoever started it has set stands behind, however it is spelt: of two the last counts.
 */
function beginAnew() {
  const hasBegun = frugal.every((flag) => process.execArgv.includes(flag));
  if (hasBegun || !process.execve || process.platform === 'win32' || process.channel) return;
  process.execve(process.execPath, [process.execPath, ...frugal, ...process.execArgv, ...process.argv.slice(1)], { ...allocator, ...process.env });
}

/** Runs the same command under `node`, as if it had been started so: same streams, signals and exit. */
function relaunch(node) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  // Listened for before the other starts: whoever hears it speak may signal at once. A terminal sends SIGINT to the whole
  // group already; a second one would look like impatience.
  for (const signal of signals) process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, TASKGATE_RELAUNCHED: '1' },
  });
  child.on('error', (error) => {
    process.stderr.write(`taskgate could not start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const one of signals) process.removeAllListeners(one);
    process.kill(process.pid, signal);
  });
}
