import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair } from 'jose';
import { parse, stringify } from 'yaml';
import { freePort } from '../../server/cli/demo/documents.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { exchangePerson, type Holder, openTask, type Task } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import { startProvider } from '../identity/provider.ts';
import { type Extras, writeDocuments } from './documents.ts';

/** A load balancer of the plainest kind: each request to the next broker, whoever sends it. */
export interface Balancer {
  readonly url: string;
  /** Which broker the next request goes to. */
  next: number;
  close(): Promise<void>;
}

async function startBalancer(port: number, targets: readonly number[]): Promise<Balancer> {
  const server = createServer((incoming, outgoing) => {
    const target = targets[balancer.next++ % targets.length];
    const { url = '/', method, headers } = incoming;
    const onward = request({ host: '127.0.0.1', port: target, path: url, method, headers, agent: new Agent() }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  const balancer: Balancer = {
    url: `http://localhost:${port}`,
    next: 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return balancer;
}

/** Several brokers, each a process of its own as `taskgate serve` starts it, on one store, behind a balancer that keeps nobody at one. */
export interface Replicas {
  readonly balancer: Balancer;
  /** The agent invoice-matcher, by its registered key, without a sponsor; bound to the holder's key when there is one. */
  open(holder?: Holder): Promise<Task>;
  /** A token of the person for `/v1`. */
  person(name: string): Promise<string>;
  v1(token: string, method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  close(): Promise<void>;
}

/** Agents and people are known by what every store allows: a registered key, and an OpenID provider. */
export async function startReplicas(count: number, dir: string, store: string, extras: Extras, holdMs: number): Promise<Replicas> {
  const provider = await startProvider();
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const key = join(dir, 'matcher.json');
  await writeFile(key, JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'ES256' }));
  const jwk = await exportJWK(publicKey);
  const documents = await writeDocuments(dir, {
    ...extras,
    change: (document) => withOwnIdentities(extras.change?.(document) ?? document, jwk, provider.issuer),
  });
  await trust(join(documents, 'platform.yaml'), provider.issuer);

  const front = await freePort();
  const url = `http://localhost:${front}`;
  const started = await Promise.all(
    Array.from({ length: count }, async () => {
      const port = await freePort();
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, '../../server/cli/taskgate.mjs'), 'serve', '--json', '--port', `${port}`, '--documents', documents, '--store', store],
        {
          cwd: dir,
          stdio: ['ignore', 'pipe', 'inherit'],
          env: {
            ...process.env,
            TASKGATE_DATA: join(dir, 'data'),
            TASKGATE_PUBLIC_URL: url,
            TASKGATE_LISTEN_HOSTS: '127.0.0.1',
            TASKGATE_LOG_LEVEL: 'error',
            TASKGATE_HOLD_MS: `${holdMs}`,
            // What is counted in one process is not what these tests are about.
            TASKGATE_LIMITS_IN_FLIGHT_SESSION: '200',
            TASKGATE_LIMITS_REQUESTS_SESSION_BURST: '1000',
            TASKGATE_LIMITS_REQUESTS_AGENT_BURST: '1000',
            TASKGATE_LIMITS_REQUESTS_TENANT_BURST: '1000',
            TASKGATE_LIMITS_REFUSALS_SESSION_BURST: '1000',
            TASKGATE_LIMITS_REFUSALS_AGENT_BURST: '1000',
          },
        },
      );
      await once(createInterface({ input: child.stdout }), 'line');
      return { port, child };
    }),
  );
  const balancer = await startBalancer(
    front,
    started.map(({ port }) => port),
  );
  return {
    balancer,
    async open(holder) {
      const doors = await findDoors(url, 'acme');
      const workload = findWorkload(doors, { agent: 'invoice-matcher', data: dir, svidFile: null, key });
      return openTask(doors, workload, null, { use_case: 'match-invoices', inputs: { invoice: 'INV-7' } }, holder);
    },
    async person(name) {
      return (await exchangePerson(await findDoors(url, 'acme'), await provider.logIn(name))).accessToken;
    },
    async v1(token, method, path, body) {
      const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const response = await fetch(`${url}/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async close() {
      await balancer.close();
      for (const { child } of started) child.kill('SIGTERM');
      await Promise.all(started.map(({ child }) => child.exitCode ?? once(child, 'exit')));
      await provider.close();
    },
  };
}

/** Acme's people at the provider, its agent by key, its sample use case without a sponsor. */
function withOwnIdentities(document: Record<string, unknown>, jwk: object, issuer: string): Record<string, unknown> {
  if (document['kind'] === 'Tenant' && document['name'] === 'acme') {
    const people = Object.entries(document['people'] as Record<string, Record<string, unknown>>);
    return { ...document, people: Object.fromEntries(people.map(([name, person]) => [name, { ...person, subject: `${issuer}#${name}` }])) };
  }
  if (document['tenant'] !== 'acme') return document;
  if (document['name'] === 'invoice-matcher') return { ...document, identity: { jwk } };
  if (document['name'] !== 'match-invoices') return document;
  const { sponsors: _, ...rest } = document;
  return { ...rest, accountable: 'dana' };
}

async function trust(file: string, issuer: string): Promise<void> {
  const platform = parse(await readFile(file, 'utf8')) as { tenants: Record<string, { trust: unknown[] }> };
  platform.tenants['acme'] = { trust: [{ oidc: issuer, audience: 'taskgate', for: 'people' }] };
  await writeFile(file, stringify(platform));
}
