import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { parseJSONRPCMessage } from '@modelcontextprotocol/client';
import { closedHere, dispatchOf, type Limit, redact, type UpstreamLog, type Wire, type WireFault } from './wire.ts';

/** MCP over the standard streams of a child process (MCP 2026-07-28, basic/transports): one message a line. */

export interface ChildOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** The child's whole environment. The SDK's own transport would add HOME, PATH, USER and others. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly limit: Limit;
  readonly log: UpstreamLog;
  /** Called once the process is gone, whoever ended it; closing waits for it. */
  onExit(): Promise<void>;
}

/** How long each step of shutting down waits: end of input, then SIGTERM, then SIGKILL. */
const patienceMs = 500;
const newline = 0x0a;
/** Lines and KiB nobody asked for that a child may send at once, and how many more each second: reading them takes time from everybody else. */
const mostUnasked = 10_000;
const unaskedPerSecond = 1_000;

export function childWire(options: ChildOptions): Wire {
  const dispatched = new Set<string>();
  /** Requests without an answer so far. */
  const open = new Set<string | number>();
  const secrets = Object.values(options.env);
  let child: ChildProcess | null = null;
  let fault: WireFault | null = null;
  /** One for all who wait: a child that reads nothing may be owed much. */
  let draining: Promise<unknown> | null = null;
  let exited: Promise<unknown> = Promise.resolve();
  const gone = Promise.withResolvers<void>();
  const unasked = createAllowance(mostUnasked, unaskedPerSecond);

  const fail = (why: WireFault['why'], detail: string): void => {
    fault ??= { why, detail };
  };
  const transport: Transport & { readonly stderr: null; readonly pid: number | null } = {
    // The SDK takes a transport with these two for a local pipe: a silent or closed one is then an older server.
    stderr: null,
    get pid() {
      return child?.pid ?? null;
    },
    async start() {
      const started = spawn(options.file, options.args, { cwd: options.folder, env: { ...options.env }, stdio: 'pipe', detached: true, windowsHide: true });
      child = started;
      exited = once(started, 'exit').catch(() => undefined);
      started.on('error', (error) => {
        fail('died', `could not be started: ${error.message}`);
        if (started.pid === undefined) void options.onExit().then(gone.resolve);
      });
      started.on('exit', (code, signal) => {
        fail('died', signal === null ? `ended with code ${code}` : `ended by ${signal}`);
        kill(started, 'SIGKILL');
        // What it wrote last is still read, but a grandchild that escaped with the pipes cannot keep them open.
        setTimeout(() => started.stdio.forEach((stream) => void stream?.destroy()), patienceMs).unref();
      });
      started.on('close', () => {
        transport.onclose?.();
        void options.onExit().then(gone.resolve);
      });
      started.stdin.on('error', () => undefined);
      readLines(started, options.limit, (line) => receive(line), stop);
      drain(started, secrets, options.log);
      await once(started, 'spawn');
    },
    async send(message) {
      const { stdin } = child ?? {};
      if (!stdin?.writable || fault !== null) throw new Error('the upstream is not running');
      const dispatch = dispatchOf(message);
      if (dispatch !== null) dispatched.add(dispatch);
      if ('id' in message && 'method' in message) open.add(message.id);
      else if ('method' in message && message.method === 'notifications/cancelled') open.delete((message.params as { requestId?: number })?.requestId ?? '');
      if (stdin.write(`${JSON.stringify(message)}\n`)) return;
      draining ??= Promise.race([once(stdin, 'drain'), exited]).finally(() => {
        draining = null;
      });
      await draining;
    },
    async close() {
      const ending = child;
      if (ending === null) return;
      if (ending.exitCode !== null || ending.signalCode !== null) return gone.promise;
      fail('died', closedHere);
      ending.stdin?.end();
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        if (await within(exited, patienceMs)) break;
        kill(ending, signal);
      }
      await gone.promise;
    },
  };
  let isStopped = false;
  const receive = (line: string): void => {
    if (isStopped) return;
    let message: JSONRPCMessage | null = null;
    try {
      message = parseJSONRPCMessage(JSON.parse(line));
    } catch {
      // A library that prints to standard output must not take the connection down.
    }
    const answer = message !== null && ('result' in message || 'error' in message) && open.delete(message.id ?? '');
    if (!answer && !unasked(1 + line.length / 1_024)) stop('too_large', 'sent more than anyone asked for, and was stopped');
    else if (message !== null) transport.onmessage?.(message);
  };
  const stop = (why: WireFault['why'], detail: string): void => {
    isStopped = true;
    fail(why, detail);
    if (child !== null) kill(child, 'SIGKILL');
  };
  return {
    transport,
    fault: () => fault,
    sent: (dispatch) => dispatched.has(dispatch),
    // All calls share the one pipe.
    broken: () => null,
    ask: null,
    forget: (dispatch) => void dispatched.delete(dispatch),
  };
}

/** True while no more is spent than `most` at once and `perSecond` after that. */
function createAllowance(most: number, perSecond: number): (cost: number) => boolean {
  let left = most;
  let since = performance.now();
  return (cost) => {
    const now = performance.now();
    left = Math.min(most, left + ((now - since) * perSecond) / 1_000) - cost;
    since = now;
    return left >= 0;
  };
}

/** Splits output into lines without ever holding more of one than the limit. */
function readLines(child: ChildProcess, limit: Limit, onLine: (line: string) => void, stop: (why: 'too_large', detail: string) => void): void {
  let parts: Buffer[] = [];
  let length = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString('utf8').trim();
      parts = [];
      length = 0;
      from = end + 1;
      if (line !== '') onLine(line);
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > limit()) {
      child.stdout?.removeAllListeners('data');
      parts = [];
      stop('too_large', 'sent a message larger than allowed, and was stopped');
    }
  });
}

/** Reads standard error so that the child never blocks on it, and logs no more than its size and last line. */
function drain(child: ChildProcess, secrets: readonly string[], log: UpstreamLog): void {
  let bytes = 0;
  let tail = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    tail = `${tail}${chunk.subarray(-2_048).toString('utf8')}`.slice(-2_048);
  });
  child.stderr?.on('close', () => {
    if (bytes > 0) log.debug({ bytes, last: redact(tail, secrets).trim().split('\n').at(-1)?.slice(-500) ?? '' }, 'upstream wrote to standard error');
  });
}

/** The child leads a process group of its own, so that what it started goes with it. */
function kill(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Gone already.
  }
}

async function within(settled: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const first = await Promise.race([settled.then(() => true as const), late]);
  clearTimeout(timer);
  return first;
}
