import { Worker } from 'node:worker_threads';
import type { Said } from './question.ts';

/** What a throw-away worker may use. */
export interface Allowance {
  /** Wall-clock milliseconds, its start included. */
  readonly ms: number;
  /** Of JavaScript's heap. */
  readonly heapMb: number;
  /** How far the process may grow while it runs: the engine's own memory is not part of that heap. */
  readonly growthMb: number;
}

export type Outcome<T> =
  | { readonly answer: T }
  /** Why it ended without one, and the last text it said it was at. */
  | { readonly died: string; readonly at: string | null };

const lookEveryMs = 100;
const atOnce = 2;
const waiting: (() => void)[] = [];
const mostWaiting = 50;
let running = 0;

/** Asks one question of a worker that is thrown away after it; two run at once. Whatever becomes of it, this answers. */
export async function inThrowAway<T>(worker: URL, question: unknown, allowance: Allowance): Promise<Outcome<T>> {
  if (waiting.length >= mostWaiting) return { died: 'too many texts are being checked at once', at: null };
  if (running >= atOnce) await new Promise<void>((go) => waiting.push(go));
  else running += 1;
  try {
    return await askWorker<T>(worker, question, allowance);
  } finally {
    // The place goes to whoever waits longest, or is given up.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

function askWorker<T>(url: URL, question: unknown, { ms, heapMb, growthMb }: Allowance): Promise<Outcome<T>> {
  const { promise, resolve } = Promise.withResolvers<Outcome<T>>();
  let at: string | null = null;
  const died = (why: string): void => resolve({ died: why, at });
  const worker = new Worker(url, {
    workerData: question,
    env: {},
    // What this process was started with (a loader, an inspector) is not for it.
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  const before = process.memoryUsage.rss();
  const deadline = setTimeout(() => died(`it took longer than ${ms / 1000} seconds`), ms);
  const look = setInterval(() => {
    if (process.memoryUsage.rss() - before > growthMb * 2 ** 20) died('it took too much memory');
  }, lookEveryMs);
  worker.on('message', (said: Said<T>) => {
    if ('answer' in said) resolve({ answer: said.answer });
    else at = said.at;
  });
  worker.on('error', (error) => died(error instanceof Error ? error.message : 'it stopped'));
  worker.on('messageerror', () => died('it answered what cannot be read'));
  worker.on('exit', (code) => died(`it ended with ${code}`));
  return promise.finally(() => {
    clearTimeout(deadline);
    clearInterval(look);
    return worker.terminate();
  });
}
