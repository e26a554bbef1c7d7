import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { config } from '../../server/config.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { askIdToken, type PrivateJwk } from '../../server/connect/local.ts';
import { exchangePerson, type Holder, openTask, renewTask, type Task, type TaskRequest } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import { createLog } from '../../server/observe/log.ts';
import { type Broker, startBroker } from '../../server/start.ts';
import { type Extras, writeDocuments } from './documents.ts';
import { copyFounded } from './founded.ts';

/** The doors of a broker as its people and agents use them, whichever process it runs in. */
export interface Doors {
  readonly url: string;
  readonly dir: string;
  /** A token of the person for `/v1`. */
  person(tenant: string, name: string): Promise<string>;
  v1(token: string, method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown>; text: string }>;
  /** Bound to the holder's key when there is one. */
  open(ask: OpenAsk, holder?: Holder): Promise<Task>;
  /** A fresh token for a session of acme's invoice-matcher. */
  renew(session: string, holder?: Holder): Promise<Task>;
}
export interface TestBroker extends Broker, Doors {
  readonly documents: string;
  /** Everything it logged, as text. */
  logged(): string;
  /** Milliseconds added to the broker's clock. */
  travel(ms: number): void;
  /** Closes the broker and forgets its files. */
  end(): Promise<void>;
}
export interface OpenAsk extends Partial<TaskRequest> {
  readonly tenant?: string;
  readonly agent?: string;
  readonly sponsor?: string | null;
}

export interface TestOptions extends Extras {
  readonly dir?: string;
  readonly holdMs?: number;
  readonly ahead?: number;
  readonly taskAfterMs?: number;
  /** Any free one when left out; what a token says of its issuer depends on it. */
  readonly port?: number;
  /** `limits` of the broker's settings. */
  readonly limits?: object;
}

const silent = createLog('silent');
export const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'taskgate-test-'));
const of = { acme: { agent: 'invoice-matcher', sponsor: 'ana' }, globex: { agent: 'invoice-clerk', sponsor: 'greta' } } as const;

/** A whole broker in this process: real store, real upstreams, real doors on a free port. */
export async function startTestBroker(options: TestOptions = {}): Promise<TestBroker> {
  const dir = options.dir ?? (await newFolder());
  const documents = await writeDocuments(dir, options);
  const data = join(dir, 'data');
  let ahead = options.ahead ?? 0;
  const lines: string[] = [];
  const start = (data: string, log: ReturnType<typeof createLog>): Promise<Broker> => {
    const settings = config.parse({
      listen: { port: options.port ?? 0, hosts: ['127.0.0.1'] },
      data,
      store: `sqlite:${join(data, 'taskgate.db')}`,
      documents: [documents],
      hold_ms: options.holdMs ?? 2_000,
      limits: options.limits ?? {},
      ...(options.taskAfterMs === undefined ? {} : { task_after_ms: options.taskAfterMs }),
    });
    const { public_url: _, ...rest } = settings;
    return startBroker(rest, { clock: () => Date.now() + ahead, log, samples: true });
  };
  if (!existsSync(data)) await copyFounded(documents, data, async (other) => (await start(other, silent)).close());
  const broker = await start(data, createLog('trace', { write: (line) => void lines.push(line) }));

  return {
    ...broker,
    ...attachTo(broker.url, dir),
    documents,
    logged: () => lines.join(''),
    travel(ms) {
      ahead += ms;
    },
    async end() {
      await broker.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The doors of the broker at `url` whose data lies below `dir`. */
export function attachTo(url: string, dir: string): Doors {
  const data = join(dir, 'data');
  const idToken = async (tenant: string, name: string, agent: string | null): Promise<string> => {
    const key = JSON.parse(await readFile(join(data, 'local', tenant, 'people.json'), 'utf8')) as PrivateJwk;
    return askIdToken(await findDoors(url, tenant), key, name, agent === null ? null : { agent });
  };
  return {
    url,
    dir,
    async person(tenant, name) {
      return (await exchangePerson(await findDoors(url, tenant), await idToken(tenant, name, null))).accessToken;
    },
    async v1(token, method, path, body) {
      const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const response = await fetch(`${url}/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await response.text();
      return { status: response.status, text, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
    },
    async open({ tenant = 'acme', agent, sponsor, ...ask }, holder) {
      const defaults = of[tenant as keyof typeof of];
      const doors = await findDoors(url, tenant);
      const workload = findWorkload(doors, { agent: agent ?? defaults.agent, data, svidFile: null, key: null });
      const token = sponsor === null ? null : await idToken(tenant, sponsor ?? defaults.sponsor, agent ?? defaults.agent);
      return openTask(doors, workload, token, { use_case: 'match-invoices', inputs: { invoice: 'INV-7' }, ...ask }, holder);
    },
    async renew(session, holder) {
      const doors = await findDoors(url, 'acme');
      return renewTask(doors, findWorkload(doors, { agent: of.acme.agent, data, svidFile: null, key: null }), session, holder);
    },
  };
}

/** An unmodified modern client inside the task. */
export async function modernClient(task: Pick<Task, 'mcpUrl' | 'accessToken'>): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${task.accessToken}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(task.mcpUrl), { requestInit }));
  return client;
}

/** An unmodified 2025-era client inside the task. */
export async function legacyClient(task: Pick<Task, 'mcpUrl' | 'accessToken'>): Promise<LegacyClient> {
  const client = new LegacyClient({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${task.accessToken}` } };
  await client.connect(new LegacyTransport(new URL(task.mcpUrl), { requestInit }) as Parameters<LegacyClient['connect']>[0]);
  return client;
}

export const payment = (amount: number, more: Record<string, unknown> = {}) => ({
  name: 'ledger__post_payment',
  arguments: { invoice: 'INV-7', iban: 'DE02120300000000202051', amount, ...more },
});
