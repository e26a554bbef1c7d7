import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../server/cli/demo/documents.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { openTask, type Task } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import { end, startListener, startServe } from '../bench/children.ts';
import { agent, writeTenants } from './documents.ts';

/** `taskgate serve` in a process of its own, with its defaults, for several tenants. The first two have upstreams in processes of their own: what is measured is the broker. */
export interface NeighbourBroker {
  readonly port: number;
  readonly pid: number;
  /** From the start of the process until it said where it listens, milliseconds. */
  readonly startMs: number;
  open(tenant: string): Promise<Task>;
  /** What it logged so far. */
  logged(): Promise<string>;
  stop(): Promise<void>;
}

export async function startNeighbours(tenants: readonly string[], limits: object = {}, logLevel = 'warn'): Promise<NeighbourBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'taskgate-neighbours-'));
  const upstreams = await Promise.all([startListener('upstream.ts'), startListener('upstream.ts')]);
  const ports = upstreams.map((upstream) => upstream.port);
  const documents = await writeTenants(dir, tenants, ports);
  const config = join(dir, 'taskgate.yaml');
  const port = await freePort();
  const url = `http://localhost:${port}`;
  await writeFile(
    config,
    JSON.stringify({ listen: { port, hosts: ['127.0.0.1'] }, data: join(dir, 'data'), documents: [documents], log_level: logLevel, limits }),
  );
  const began = performance.now();
  const child = await startServe(dir, ['--config', config]);
  const startMs = performance.now() - began;
  return {
    port,
    pid: child.pid ?? 0,
    startMs,
    async open(tenant) {
      const doors = await findDoors(url, tenant);
      const workload = findWorkload(doors, { agent, data: dir, svidFile: null, key: join(dir, `${tenant}.json`) });
      return openTask(doors, workload, null, { use_case: 'call', objective: 'measure', inputs: {} });
    },
    logged: () => readFile(join(dir, 'broker.log'), 'utf8'),
    async stop() {
      await end(child);
      for (const { child } of upstreams) await end(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
