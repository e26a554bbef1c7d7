import type { ChildProcess } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { freePort } from '../../server/cli/demo/documents.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { openTask, type Task } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import { end, startServe } from './children.ts';
import { agent, type Shape, tenant, writeDocuments } from './documents.ts';
import { mcpRequest } from './wire.ts';

/** One measured broker: `taskgate serve` in a process of its own, with a store, documents and a folder of its own. */
export interface Bench {
  readonly dir: string;
  readonly port: number;
  readonly url: string;
  /** Of the process now running. */
  pid(): number;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Opens a session at the real token endpoint. */
  open(): Promise<Task>;
}

export interface BenchOptions extends Omit<Shape, 'key'> {
  /** An address for `serve --store`; a file of its own when left out. */
  readonly store?: string;
  readonly nodeOptions?: readonly string[];
}

export async function prepareBroker(options: BenchOptions): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'taskgate-bench-'));
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keyFile = join(dir, 'agent.json');
  await writeFile(keyFile, JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'ES256' }));
  const documents = await writeDocuments(dir, { ...options, key: await exportJWK(publicKey) });
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const config = join(dir, 'taskgate.yaml');
  await writeFile(
    config,
    JSON.stringify({
      listen: { port, hosts: ['127.0.0.1'] },
      public_url: url,
      data: join(dir, 'data'),
      documents: [documents],
      store: options.store ?? `sqlite:${join(dir, 'data', 'taskgate.db')}`,
    }),
  );
  let child = null as ChildProcess | null;
  return {
    dir,
    port,
    url,
    pid: () => child?.pid ?? 0,
    async start() {
      child = (await startServe(dir, options.nodeOptions ?? [], ['serve', '--config', config])).child;
    },
    async stop() {
      if (child) await end(child);
    },
    async open() {
      const doors = await findDoors(`http://127.0.0.1:${port}`, tenant);
      const workload = findWorkload(doors, { agent, data: dir, svidFile: null, key: keyFile });
      return openTask(doors, workload, null, { use_case: 'measure', inputs: {} });
    },
  };
}

/** One MCP request into the task, whole. */
export function requestInto(task: Task, method: string, params: object): string {
  const { host, pathname } = new URL(task.mcpUrl);
  return mcpRequest({ host, path: pathname, token: task.accessToken }, method, params);
}
