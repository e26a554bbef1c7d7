import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Hono } from 'hono';
import pino from 'pino';
import { type CallAnswer, type CallIo, type CallRequest, type ListedTool, type Refusal, refuse, type Session } from '../../server/call/index.ts';
import { config as configShape } from '../../server/config.ts';
import type { Caller } from '../../server/identity/caller.ts';
import { createLimits } from '../../server/limits/index.ts';
import { type Doors, listen } from '../../server/listen.ts';
import { mcpDoor, type Parts } from '../../server/mcp/index.ts';
import type { Ports } from '../../server/ports.ts';
import { openStore, type Store } from '../../server/store/index.ts';
import { createSignals, type Signals } from '../../server/store/signals.ts';

export const session = 'ses_acme_AAAAAAAAAAAAAAAAAAAAAA';
export const token = 'good-token';

export const callerOf = (over: Partial<Omit<Caller, never>> = {}): Caller =>
  ({
    tenant: 'acme',
    agent: 'invoice-matcher',
    session,
    sponsor: 'local#ana',
    taskSha256: 'f'.repeat(64),
    bound: false,
    tokenId: 'tok_1',
    tokenExpires: Math.floor(Date.now() / 1000) + 900,
    door: 'session',
    ...over,
  }) as Caller;

/** The caller's session as the door gets it; only its end is told. */
export const sessionOf = (caller: Caller, expiresAt = Date.now() + 1_800_000): Session =>
  ({ caller, row: { ...caller, id: caller.session, cnf: null, expiresAt }, tenant: { document: { pause: ['task', 'rounds', 'hold'] } } }) as unknown as Session;

export const tools: readonly ListedTool[] = [
  {
    name: 'ledger__get_invoice',
    title: 'Get an invoice',
    description: 'Reads one invoice',
    inputSchema: { type: 'object', properties: { invoice: { type: 'string' } }, required: ['invoice'], additionalProperties: false },
    outputSchema: { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] },
    annotations: { readOnlyHint: true },
  },
  { name: 'ledger__post_payment', inputSchema: { type: 'object', properties: { amount: { type: 'number' }, note: true }, additionalProperties: false } },
];

export const textResult = (text: string): CallAnswer => ({
  result: { content: [{ type: 'text', text }], isError: false },
  decision: 'dec_1',
  record: 7,
  replayed: false,
});
/** What a call asked for, by name or by address, and with what. */
export const askedFor = (request: CallRequest | undefined): string | undefined => (request?.kind === 'resource' ? request.uri : request?.tool);
export const argumentsOf = (request: CallRequest | undefined): unknown => (request?.kind === 'resource' ? undefined : request?.arguments);
export const refusal = (over: Refusal): CallAnswer => ({ ...over, decision: 'dec_2', record: 8 });

export interface Served {
  readonly url: string;
  readonly mcp: string;
  readonly calls: { request: CallRequest; io: CallIo; caller: Caller }[];
  readonly ports: Ports;
  readonly parts: Parts;
  /** What other processes tell. */
  readonly signals: Signals;
  close(): Promise<void>;
}

type Answers = (request: CallRequest, io: CallIo) => Promise<CallAnswer> | CallAnswer;

type Kept = Pick<
  Store,
  'openProtocolSession' | 'readProtocolSession' | 'keepProtocolSession' | 'endProtocolSession' | 'renewedUntil' | 'cancelCall' | 'isCancelled'
>;

/** A real store for what 2025-era clients name; made only when one does. */
function keepLazily(signals: Signals): Kept & { close(): Promise<void> } {
  let opened = null as Promise<{ store: Store; dir: string }> | null;
  const open = async () => {
    const dir = await mkdtemp(join(tmpdir(), 'taskgate-door-'));
    const store = await openStore(`sqlite:${join(dir, 'door.db')}`, Date.now);
    store.subscribe((told) => signals.emit([told]), 'idle');
    return { store, dir };
  };
  const kept = async (): Promise<Store> => {
    opened ??= open();
    return (await opened).store;
  };
  return {
    openProtocolSession: async (...args) => (await kept()).openProtocolSession(...args),
    readProtocolSession: async (...args) => (await kept()).readProtocolSession(...args),
    keepProtocolSession: async (...args) => (await kept()).keepProtocolSession(...args),
    endProtocolSession: async (...args) => (await kept()).endProtocolSession(...args),
    cancelCall: async (...args) => (await kept()).cancelCall(...args),
    isCancelled: async (...args) => (await kept()).isCancelled(...args),
    renewedUntil: async (...args) => (await kept()).renewedUntil(...args),
    async close() {
      if (!opened) return;
      const { store, dir } = await opened;
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The MCP door over real HTTP; only the call path behind it is stood in for. */
export async function serveDoor(
  options: { answer?: Answers; parts?: Partial<Parts>; holdMs?: number; ports?: Partial<Ports>; onTake?: (taken: boolean) => void } = {},
): Promise<Served> {
  const calls: Served['calls'] = [];
  const plenty = { per_second: 1_000_000, burst: 1_000_000 };
  const limits = { requests: { session: plenty, agent: plenty, tenant: plenty } };
  const parsed = configShape.parse({ listen: { port: 0 }, hold_ms: options.holdMs ?? 50, limits });
  const config = { ...parsed, public_url: 'http://localhost:1' };
  const signals = createSignals(() => undefined);
  const kept = keepLazily(signals);
  const ports = {
    config,
    clock: () => Date.now(),
    keys: { state: [{ id: 's1', createdAt: 0, retiresAt: null, bytes: randomBytes(32) }], token: [], hmac: [], escrow: [], anchor: [] },
    access: { known: async () => undefined, stranger: async () => undefined, sumUp: async () => undefined, flush: async () => undefined },
    limits: createLimits(parsed.limits, Date.now),
    log: pino({ level: 'silent' }),
    ...options.ports,
    store: { ...signals, ...kept, ...options.ports?.store },
  } as unknown as Ports;
  const unexpected = (): never => {
    throw new Error('not expected here');
  };
  const parts: Parts = {
    async authenticate(_ports, { authorization, session: asked }) {
      if (authorization === null) return refuse('token.missing', 'A task token is needed.');
      if (authorization !== `Bearer ${token}` || (asked !== null && asked !== session)) return refuse('token.invalid', 'This token is not valid here.');
      return callerOf();
    },
    callerOfConnection: unexpected,
    enterSession: async (_ports, caller) => sessionOf(caller),
    listTools: () => tools,
    listResources: () => [],
    listTemplates: () => [],
    listPrompts: () => [],
    completeArgument: () => null,
    kindsOf: () => ({ resources: false, prompts: false }),
    brokerCall: async (_ports, { caller }, request, io) => {
      calls.push({ request, io, caller });
      return (options.answer ?? (() => textResult('done')))(request, io);
    },
    awaitApproval: async () => refuse('approval.unknown', 'There is no such approval in this task.'),
    openSession: unexpected,
    requestExtension: unexpected,
    applyExtension: unexpected,
    endSession: unexpected,
    tasks: { keep: unexpected, look: unexpected, run: unexpected, cancel: unexpected, list: unexpected },
    ...options.parts,
  };
  const { routes, take } = mcpDoor(ports, parts);
  const doors: Doors = {
    fetch: new Hono().route('/', routes).fetch,
    take(incoming, outgoing) {
      const taken = take(incoming, outgoing);
      options.onTake?.(taken !== null);
      return taken;
    },
  };
  const { port, close } = await listen(() => doors, ['127.0.0.1'], 0, ports.log);
  config.public_url = `http://localhost:${port}`;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    mcp: `${url}/sessions/${session}/mcp`,
    calls,
    ports,
    parts,
    signals,
    async close() {
      await close();
      await kept.close();
    },
  };
}

/** Messages of an event stream, one at a time; null once it has ended. */
export function messagesOf(response: Response): () => Promise<Record<string, unknown> | null> {
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let text = '';
  return async () => {
    for (;;) {
      const data = /^data: (.*)\n\n/m.exec(text);
      if (data) {
        text = text.slice(data.index + data[0].length);
        return JSON.parse(data[1] ?? '') as Record<string, unknown>;
      }
      const { value, done } = await reader.read();
      if (done) return null;
      text += value;
    }
  };
}

const requestInit = { headers: { authorization: `Bearer ${token}` } };

export async function modernClient(mcp: string): Promise<ModernClient> {
  const client = new ModernClient({ name: 'modern', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(new URL(mcp), { requestInit }));
  return client;
}

export async function legacyClient(mcp: string): Promise<LegacyClient> {
  const client = new LegacyClient({ name: 'legacy', version: '1.0.0' });
  await client.connect(new LegacyTransport(new URL(mcp), { requestInit }) as Parameters<LegacyClient['connect']>[0]);
  return client;
}

/** One raw POST, for what no well-behaved client sends. */
export function post(mcp: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(mcp, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}`, ...headers },
    body: body as BodyInit,
  });
}

export const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
};

/** A modern request as it goes over the wire. */
export function postModern(mcp: string, method: string, params: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Response> {
  const { _meta, ...rest } = params;
  const body = { jsonrpc: '2.0', id: 1, method, params: { ...rest, _meta: { ...modernMeta, ...(_meta as object) } } };
  const name = typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {};
  return post(mcp, JSON.stringify(body), { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name, ...headers });
}

export const postCall = (mcp: string, params: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Response> =>
  postModern(mcp, 'tools/call', { arguments: {}, ...params }, headers);
