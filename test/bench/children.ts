import { type ChildProcess, fork, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Job, Measured, Reply } from './wire.ts';

/** Every process the bench started that still runs, so that none outlives it. */
const running = new Set<ChildProcess>();

function kept(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Kills each by its id; whoever waits for one of them is told. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Asks a process to leave and waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(hard);
}

/** The next message that `child` sends; rejects when it ends first. */
export function messageOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(new Error(`process ${child.pid} of the bench ended early`));
    if (child.exitCode !== null || child.signalCode !== null) lost();
    child.once('exit', lost);
    child.once('message', (message) => {
      child.off('exit', lost);
      resolve(message as T);
    });
  });
}

/** Starts a script of `processes/`. */
export const startProcess = (name: string, args: readonly string[] = []): ChildProcess => kept(fork(join(import.meta.dirname, 'processes', name), args));

/** One that listens, and tells its port once it does. */
export async function startListener(name: string, args: readonly string[] = []): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = startProcess(name, args);
  return { child, port: await messageOf<number>(child) };
}

export interface Client {
  /** Rejects at the first answer that is not the one expected. */
  run(job: Job): Promise<Measured>;
}

export function startClient(): Client {
  const child = startProcess('client.ts');
  return {
    async run(job) {
      child.send(job);
      const reply = await messageOf<Reply>(child);
      if ('failed' in reply) throw new Error(reply.failed);
      return reply.measured;
    },
  };
}

/** Starts a broker by its command line and waits until it says that it listens. What it logs goes to a file in `dir`. */
export async function startServe(dir: string, args: readonly string[]): Promise<ChildProcess> {
  const logFile = join(dir, 'broker.log');
  const log = openSync(logFile, 'a');
  const launcher = join(import.meta.dirname, '../../server/cli/taskgate.mjs');
  const child = kept(spawn(process.execPath, [launcher, 'serve', '--json', ...args], { cwd: dir, stdio: ['ignore', 'pipe', log] }));
  closeSync(log);
  let said = '';
  await new Promise<void>((resolve) => {
    child.once('close', resolve);
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (said.includes('\n')) resolve();
    });
  });
  if (!said.includes('"url"')) throw new Error(`a broker did not start: ${said}${await readFile(logFile, 'utf8')}`);
  return child;
}
