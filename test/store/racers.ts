import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

const racer = new URL('racer.ts', import.meta.url);

/** Another process on the store at `place`, a path or an address; gone with the test. */
export function startRacer(place: string, name: string): ChildProcess {
  const child = fork(racer, [place, name], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** The next message that has `key`. */
export async function told<T>(child: ChildProcess, key: string): Promise<T> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [Record<string, T>];
    const value = message[key];
    if (value !== undefined) return value;
  }
}

export function run<T>(child: ChildProcess, job: string, count = 0): Promise<T> {
  const done = told<T>(child, 'done');
  child.send({ job, count });
  return done;
}
