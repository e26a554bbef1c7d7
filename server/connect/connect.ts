import { once } from 'node:events';
import process from 'node:process';
import type { McpServerFactory } from '@modelcontextprotocol/server';
import { type BrokerDoors, findDoors } from './broker.ts';
import { Failure } from './failure.ts';
import { holdTask } from './hold-task.ts';
import { type Holder, openTask, type Task, type TaskRequest } from './session.ts';
import { sponsorFor } from './sponsor.ts';
import { findWorkload, type Workload, type WorkloadSource } from './workload.ts';

/** Everything that opens a session from this machine. */
export interface TaskOptions extends WorkloadSource {
  readonly url: string;
  readonly tenant: string;
  /** File of the sponsor's ID token; null takes the last login, when there is one. */
  readonly sponsorToken: string | null;
  readonly task: TaskRequest;
}

/** Opens one session and answers its first token: a bearer, for it is passed on to whoever uses it. */
export async function openSession(options: TaskOptions): Promise<Task> {
  const doors = await findDoors(options.url, options.tenant);
  return openAs(doors, findWorkload(doors, options), options, null);
}

async function openAs(doors: BrokerDoors, workload: Workload, options: TaskOptions, holder: Holder | null): Promise<Task> {
  const sponsor = await sponsorFor(doors, options);
  return openTask(doors, workload, sponsor, options.task, holder).catch((error: unknown) => {
    if (sponsor !== null || !(error instanceof Failure) || !/sponsor/.test(error.message)) throw error;
    const remedy = `be one with \`npx taskgate login --tenant ${doors.tenant} --as NAME\`, or give --sponsor-token FILE`;
    throw new Failure(error.message, { remedy, exit: error.exit, cause: error, ...(error.code === null ? {} : { code: error.code }) });
  });
}

/** The bridge between one host, over whatever transport, and one task session of the broker. */
export interface Bridge {
  readonly factory: McpServerFactory;
  /** Gives the session back; quiet when there is none. */
  leave(): Promise<void>;
}

export async function openBridge(options: TaskOptions, version: string, say: (line: string) => void): Promise<Bridge> {
  // The SDK is most of the start-up time; `session open` does without.
  const [{ makeBridge }, { newHolder, reachSession }, doors] = await Promise.all([
    import('./bridge.ts'),
    import('./reach-session.ts'),
    findDoors(options.url, options.tenant),
  ]);
  const workload = findWorkload(doors, options);
  const holder = await newHolder();
  const task = holdTask(doors, workload, holder, () => openAs(doors, workload, options, holder), Date.now);
  const clients = reachSession(task, holder, version, (what) => bridge.changed(what));
  const bridge = makeBridge(task, clients, version, say);
  return {
    factory: bridge.factory,
    async leave() {
      await task.release().catch((error: unknown) => say(`the session was not ended: ${error instanceof Failure ? error.message : String(error)}`));
      await clients.close();
    },
  };
}

/**
 * `taskgate connect`: a stdio MCP server for a host, on one task session. Returns when the host has left (stdin ends,
 * SIGTERM, SIGINT) and the session has been ended. Nothing but MCP goes to stdout.
 */
export async function connect(options: TaskOptions, version: string): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`taskgate: ${line}\n`);
  const [{ serveStdio }, bridge] = await Promise.all([import('@modelcontextprotocol/server/stdio'), openBridge(options, version, say)]);
  const stdio = serveStdio(bridge.factory, { onerror: (error) => say(error.message) });
  await hostLeaves();
  // A host that leaves waits little for its servers; what is not ended here ends by itself at its time.
  await Promise.race([bridge.leave(), new Promise((resolve) => setTimeout(resolve, 3000))]);
  await stdio.close();
}

async function hostLeaves(): Promise<void> {
  const { signal, abort } = ((controller) => ({ signal: controller.signal, abort: () => controller.abort() }))(new AbortController());
  const ways = [
    once(process.stdin, 'end', { signal }),
    once(process.stdin, 'close', { signal }),
    ...['SIGTERM', 'SIGINT', 'SIGHUP'].map((name) => once(process, name, { signal })),
  ];
  await Promise.race(ways).finally(abort);
  await Promise.allSettled(ways);
}
