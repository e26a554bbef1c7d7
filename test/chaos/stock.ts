import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { enableCompileCache } from 'node:module';
import { freePort } from '../../server/cli/demo/documents.ts';
import type { Orders, Told } from './broker.ts';
import type { Point, Taken } from './steps.ts';

/** A broker process that was told to start; its doors are open. */
export interface Running {
  readonly url: string;
  readonly pid: number;
  /** Resolves with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>;
  arm(point: Point | null): Promise<void>;
  taken(): Promise<readonly Taken[]>;
  sweep(): Promise<void>;
  kill(): void;
  close(): Promise<void>;
}

/** What became of a process that was told to start. */
export type Started = Running | { readonly killed: true };

export interface Stock {
  start(orders: Omit<Orders, 'port'>): Promise<Started>;
  close(): void;
}

const program = new URL('broker.ts', import.meta.url);

interface Process {
  readonly child: ChildProcess;
  readonly ended: Promise<NodeJS.Signals | null>;
  /** Rejects with the reason it gives; null when it was killed before it answered. */
  tell(told: Told): Promise<unknown>;
}

/** Keeps `depth` processes warm, all modules loaded, so that the next broker is there as soon as the last one is dead. */
export function openStock(depth: number): Stock {
  const { directory } = enableCompileCache();
  const env = { ...process.env, ...(directory === undefined ? {} : { NODE_COMPILE_CACHE: directory }) };
  const waiting: Promise<Process>[] = [];
  let closed = false;

  async function warm(): Promise<Process> {
    const child = fork(program, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env });
    const ended = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const asked: { resolve(answer: unknown): void; reject(error: Error): void }[] = [];
    child.on('message', (message: { answer?: unknown; failed?: string }) => {
      if (message.answer === 'warm') return resolve();
      const first = asked.shift();
      if (message.failed === undefined) first?.resolve(message.answer);
      else first?.reject(new Error(message.failed));
    });
    const gone = ended.then(() => null);
    await Promise.race([ready, gone]);
    return {
      child,
      ended,
      tell(told) {
        const answer = new Promise<unknown>((resolve, reject) => asked.push({ resolve, reject }));
        child.send(told, () => undefined);
        return Promise.race([answer, gone]);
      },
    };
  }
  const fill = (): void => {
    while (!closed && waiting.length < depth) waiting.push(warm());
  };
  fill();

  return {
    async start(orders) {
      const { child, ended, tell } = await (waiting.shift() ?? warm());
      fill();
      const port = await freePort();
      const started = await tell({ start: { ...orders, port } }).catch((error: unknown) => {
        child.kill('SIGKILL');
        throw error;
      });
      if (started === null) return { killed: true };
      return {
        url: `http://127.0.0.1:${port}`,
        pid: child.pid ?? 0,
        ended,
        arm: async (point) => void (await tell({ arm: point })),
        taken: async () => ((await tell({ taken: true })) ?? []) as readonly Taken[],
        sweep: async () => void (await tell({ sweep: true })),
        kill: () => void child.kill('SIGKILL'),
        close: async () => void (await Promise.all([tell({ close: true }), ended])),
      };
    },
    close() {
      closed = true;
      for (const one of waiting) void one.then(({ child }) => child.kill('SIGKILL'));
    },
  };
}
