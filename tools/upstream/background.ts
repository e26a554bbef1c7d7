import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Confinement, confine } from './confine.ts';
import { UpstreamUnavailable } from './upstream.ts';
import type { UpstreamLog } from './wire.ts';

export interface BackgroundCommand {
  /** What the operator calls it. */
  readonly name: string;
  readonly run: readonly string[];
  readonly allowRead: readonly string[];
  readonly allowWrite: readonly string[];
  /** `host:port` it will listen on; null when nobody has to wait for it. */
  readonly listens: string | null;
}

const patienceMs = 10_000;
const lookAgainMs = 25;

/**
 * Runs an operator's command beside the broker, confined like any stdio upstream, and waits until it listens. Rejects
 * with `UpstreamUnavailable` when it ends or does not listen in time. It is gone when `close` resolves.
 */
export async function startBackground(
  command: BackgroundCommand,
  options: { log: UpstreamLog; forbidden: readonly string[] },
): Promise<{ close(): Promise<void> }> {
  if (command.listens !== null && (await isOpen(command.listens))) {
    throw new UpstreamUnavailable(`something else listens on ${command.listens} already, where the background command ${command.name} is to`);
  }
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'taskgate-background-')));
  const { file, args } = await confined(command, folder, options.forbidden);
  const child = spawn(file, args, { cwd: folder, env: {}, stdio: ['pipe', 'ignore', 'ignore'], windowsHide: true });
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').catch(() => undefined);
  let closing = false;
  const close = async (): Promise<void> => {
    closing = true;
    if (isRunning(child)) child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  child.on('exit', (code, signal) => {
    if (!closing) options.log.warn({ command: command.name, code, signal }, 'a background command ended by itself; is its port taken?');
  });
  if (command.listens !== null && !(await listens(child, command.listens))) {
    await close();
    throw new UpstreamUnavailable(`the background command ${command.name} does not listen on ${command.listens}`);
  }
  return { close };
}

/** Leaves no folder behind when the command may not run. */
async function confined({ run, allowRead, allowWrite }: BackgroundCommand, folder: string, forbidden: readonly string[]): Promise<Confinement> {
  try {
    return confine({ run, allowRead, allowWrite, folder, forbidden });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null && child.pid !== undefined;

async function listens(child: ChildProcess, address: string): Promise<boolean> {
  const until = Date.now() + patienceMs;
  while (Date.now() < until && isRunning(child)) {
    if (await isOpen(address)) return isRunning(child);
    await pause(lookAgainMs);
  }
  return false;
}

async function isOpen(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
  const open = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'close').then(() => false)]).catch(() => false);
  socket.destroy();
  return open;
}
