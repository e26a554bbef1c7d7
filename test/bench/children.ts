import { type ChildProcess, fork, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Job, Measured, Reply } from './wire.ts';

/** Every process the bench starts, so that none outlives it. */
const running = new Set<ChildProcess>();

function kept(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Kills, by its id, whatever is still running. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(hard);
}

/** The next message that `child` sends; rejects when it ends first. */
export function messageOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(new Error(`process ${child.pid} ended early`));
    child.once('exit', lost);
    child.once('message', (message) => {
      child.off('exit', lost);
      resolve(message as T);
    });
  });
}

const script = (name: string): string => join(import.meta.dirname, 'processes', name);

/** A process of the bench that listens; it tells its port. */
export async function startListener(name: string, args: readonly string[] = []): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = kept(fork(script(name), args));
  return { child, port: await messageOf<number>(child) };
}

export interface Client {
  run(job: Job): Promise<Measured>;
}

export function startClient(): Client {
  const child = kept(fork(script('client.ts')));
  return {
    async run(job) {
      child.send(job);
      const reply = await messageOf<Reply>(child);
      if ('failed' in reply) throw new Error(reply.failed);
      return reply.measured;
    },
  };
}

/** Starts a broker by its command line and waits until it says where it listens. Its log goes to a file in `dir`. */
export async function startServe(
  dir: string,
  nodeOptions: readonly string[],
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const log = openSync(join(dir, 'broker.log'), 'a');
  const launcher = join(import.meta.dirname, '../../server/cli/taskgate.mjs');
  const child = kept(spawn(process.execPath, [...nodeOptions, launcher, ...args, '--json'], { cwd: dir, stdio: ['ignore', 'pipe', log] }));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the broker did not start; see ${join(dir, 'broker.log')}`)));
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      const said = JSON.parse(text) as { url?: string };
      if (said.url === undefined) reject(new Error(`the broker did not start: ${text}`));
      else resolve(said.url);
    });
  });
  return { child, url };
}
