import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { freePort } from '../../server/cli/demo/documents.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { askIdToken, type PrivateJwk } from '../../server/connect/local.ts';
import { endTask, exchangePerson, openTask, type Task } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import { end, startServe } from './children.ts';
import { agent, type Shape, tenant, writeDocuments } from './documents.ts';
import { mcpRequest } from './wire.ts';

/** `taskgate serve` in a process of its own; its replicas share store, keys and public URL, as behind a balancer. */
export interface Replica {
  readonly port: number;
  /** Of the process now running. */
  pid(): number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A broker that is measured, with documents, keys, a store and a folder of its own; its first replica is up. */
export interface Bench extends Replica {
  readonly url: string;
  /** Opens a session at the real token endpoint. */
  open(): Promise<Task>;
  /** Ends it at the first replica (RFC 7009). */
  end(task: Task): Promise<void>;
  /** A token for `/v1`, by the local provider. */
  person(name: string): Promise<string>;
  addReplica(): Promise<Replica>;
  /** Stops every replica and forgets the folder. */
  close(): Promise<void>;
}

export interface BenchOptions extends Omit<Shape, 'key'> {
  /** As `serve --store` has it; null for a SQLite file of its own. */
  readonly store: string | null;
}

const plenty = { per_second: 1_000_000, burst: 1_000_000 };
const unlimited = {
  requests: { session: plenty, agent: plenty, tenant: plenty },
  refusals: { session: plenty, agent: plenty },
  tokens: { client: plenty, tenant: plenty },
  in_flight: { session: 10_000, agent: 10_000, tenant: 10_000 },
  working: { all: 1_000, tenant: 1_000, session: 1_000 },
};

export async function startBench(options: BenchOptions): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'taskgate-bench-'));
  const data = join(dir, 'data');
  const keyFile = join(dir, 'agent.json');
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  await writeFile(keyFile, JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'ES256' }));
  const documents = [await writeDocuments(dir, { ...options, key: await exportJWK(publicKey) })];
  const store = options.store ?? `sqlite:${join(data, 'taskgate.db')}`;
  const replicas: Replica[] = [];
  const url = `http://localhost:${await freePort()}`;

  const replica = async (port: number): Promise<Replica> => {
    const config = join(dir, `replica-${replicas.length + 1}.yaml`);
    await writeFile(config, JSON.stringify({ listen: { port, hosts: ['127.0.0.1'] }, public_url: url, data, documents, store, limits: unlimited }));
    let child = null as ChildProcess | null;
    const made: Replica = {
      port,
      pid: () => child?.pid ?? 0,
      async start() {
        child = await startServe(dir, ['--config', config]);
      },
      async stop() {
        if (child) await end(child);
      },
    };
    replicas.push(made);
    await made.start();
    return made;
  };
  const close = async (): Promise<void> => {
    await Promise.all(replicas.map((one) => one.stop()));
    await rm(dir, { recursive: true, force: true });
  };

  const first = await replica(Number(new URL(url).port)).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const doors = await findDoors(url, tenant);
  const workload = findWorkload(doors, { agent, data: dir, svidFile: null, key: keyFile });
  return {
    ...first,
    url,
    open: () => openTask(doors, workload, null, { use_case: 'measure', inputs: {} }),
    end: (task) => endTask(doors, workload, task.accessToken),
    async person(name) {
      const key = JSON.parse(await readFile(join(data, 'local', tenant, 'people.json'), 'utf8')) as PrivateJwk;
      return (await exchangePerson(doors, await askIdToken(doors, key, name, null))).accessToken;
    },
    addReplica: async () => replica(await freePort()),
    close,
  };
}

/** One MCP request into the task, whole. */
export function requestInto(task: Task, method: string, params: object): string {
  const { host, pathname } = new URL(task.mcpUrl);
  return mcpRequest({ host, path: pathname, token: task.accessToken }, method, params);
}
