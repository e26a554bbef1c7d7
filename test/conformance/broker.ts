import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair } from 'jose';
import { config } from '../../server/config.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { askIdToken, type PrivateJwk } from '../../server/connect/local.ts';
import { exchangePerson, openTask, type Task } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import { createLog } from '../../server/observe/log.ts';
import { startBroker } from '../../server/start.ts';
import { agent, tenant, useCase, writeDocuments } from './documents.ts';

export interface Referee {
  /** Of its tenant. */
  readonly issuer: string;
  /** Opens a session at the token endpoint, by the agent's key. */
  open(): Promise<Task>;
  close(): Promise<void>;
}

const plenty = { per_second: 1_000_000, burst: 1_000_000 };
const lookEvery = 50;

/** A whole broker with the suite's upstream, and a reviewer who approves, at the reviewers' door, whatever waits. */
export async function startReferee(logLevel: 'silent' | 'warn'): Promise<Referee> {
  const dir = await mkdtemp(join(tmpdir(), 'taskgate-conformance-'));
  const data = join(dir, 'data');
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const key = join(dir, 'agent.json');
  await writeFile(key, JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'ES256' }));
  const { public_url: _, ...settings } = config.parse({
    listen: { port: 0, hosts: ['127.0.0.1'] },
    data,
    store: `sqlite:${join(data, 'taskgate.db')}`,
    documents: [await writeDocuments(dir, await exportJWK(publicKey))],
    // What the suite has take a second is to be a task, and what it has answer at once is not, on a machine that is busy too.
    task_after_ms: 300,
    // The suite asks more a second than an agent does.
    limits: { requests: { session: plenty, agent: plenty, tenant: plenty }, refusals: { session: plenty, agent: plenty } },
  });
  const broker = await startBroker(settings, { log: createLog(logLevel) }).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true });
    throw error;
  });
  const doors = await findDoors(broker.url, tenant);
  const workload = findWorkload(doors, { agent, data: dir, svidFile: null, key });
  const people = JSON.parse(await readFile(join(data, 'local', tenant, 'people.json'), 'utf8')) as PrivateJwk;
  const { accessToken } = await exchangePerson(doors, await askIdToken(doors, people, 'bob', null));
  const stopped = new AbortController();
  const reviewing = approveAll(`${broker.url}/v1`, accessToken, stopped.signal);
  return {
    issuer: doors.issuer,
    open: () => openTask(doors, workload, null, { use_case: useCase, inputs: {} }),
    async close() {
      stopped.abort();
      await reviewing.finally(() => broker.close()).finally(() => rm(dir, { recursive: true, force: true }));
    },
  };
}

interface Pending {
  readonly items: readonly { readonly id: string; readonly digest: string }[];
}

async function approveAll(v1: string, token: string, stopped: AbortSignal): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  while (!stopped.aborted) {
    const pending = (await (await fetch(`${v1}/approvals?status=pending`, { headers })).json()) as Pending;
    for (const { id, digest } of pending.items) {
      const body = JSON.stringify({ decision: 'approve', digest, reason: 'the suite asked' });
      // One that was withdrawn in between needs no vote.
      await (await fetch(`${v1}/approvals/${id}/decisions`, { method: 'POST', headers, body })).arrayBuffer();
    }
    await sleep(lookEvery, undefined, { signal: stopped }).catch(() => undefined);
  }
}
