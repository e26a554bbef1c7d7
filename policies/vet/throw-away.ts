import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { Said } from './question.ts';

/** What a throw-away process may use. */
export interface Allowance {
  /** Wall-clock milliseconds, its start included. */
  readonly ms: number;
  /** Of JavaScript's heap. */
  readonly heapMb: number;
  /** In all, the engine's own memory included; looked at where the system tells (Linux). */
  readonly residentMb: number;
}

export type Outcome<T> =
  | { readonly answer: T }
  /** Why it ended without one, and the last text it said it was at. */
  | { readonly died: string; readonly at: string | null };

const lookEveryMs = 50;
const atOnce = 2;
const waiting: (() => void)[] = [];
const mostWaiting = 50;
let running = 0;

/**
 * Asks one question of a process that is thrown away after it; two run at once. Whatever becomes of it, this answers: an engine that
 * crashes, hangs or grows takes nothing with it, and its memory is given back whole.
 */
export async function inThrowAway<T>(script: URL, question: unknown, allowance: Allowance): Promise<Outcome<T>> {
  if (waiting.length >= mostWaiting) return { died: 'too many texts are being checked at once', at: null };
  if (running >= atOnce) await new Promise<void>((go) => waiting.push(go));
  else running += 1;
  try {
    return await ask<T>(script, question, allowance);
  } finally {
    // The place goes to whoever waits longest, or is given up.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

function ask<T>(script: URL, question: unknown, { ms, heapMb, residentMb }: Allowance): Promise<Outcome<T>> {
  const { promise, resolve } = Promise.withResolvers<Outcome<T>>();
  let at: string | null = null;
  const died = (why: string): void => resolve({ died: why, at });
  const child = fork(script, {
    env: { ...(process.env['NODE_COMPILE_CACHE'] === undefined ? {} : { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }) },
    // What this process was started with (a loader, an inspector) is not for it.
    execArgv: [`--max-old-space-size=${heapMb}`, '--stack-size=3900'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const lastWords = keepLastWords(child);
  const deadline = setTimeout(() => died(`it took longer than ${ms / 1000} seconds`), ms);
  const look = setInterval(() => {
    if (residentBytes(child.pid) > residentMb * 2 ** 20) died('it took too much memory');
  }, lookEveryMs);
  child.on('message', (said: Said<T>) => {
    if ('answer' in said) resolve({ answer: said.answer });
    else if ('failed' in said) died(said.failed);
    else at = said.at;
  });
  child.on('error', (error) => died(error.message));
  // Once its streams have ended too, so that its last words are whole.
  child.on('close', (code, signal) => died(lastWords() ?? `it ended with ${signal ?? code}`));
  child.send(question as object, (error) => error && died(error.message));
  return promise.finally(() => {
    clearTimeout(deadline);
    clearInterval(look);
    child.kill('SIGKILL');
  });
}

const wordsKept = 16_384;

/** What V8 says when it gives up, such as that the heap is full; null when it said nothing. */
function keepLastWords(child: ChildProcess): () => string | null {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-wordsKept);
  });
  return () => /^FATAL ERROR: (.+)$/m.exec(said)?.[1] ?? null;
}

/** Resident memory (proc_pid_statm(5)); 0 where it cannot be read. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1] ?? 0) * 4096;
  } catch {
    return 0;
  }
}
