import type { LookupFunction } from 'node:net';
import type { JWK } from 'jose';
import Keyv from 'keyv';
import { Agent, fetch as dial } from 'undici';
import { z } from 'zod';
import { egress, parseJsonStrict } from '../../../tools/index.ts';
import { isRedirect } from '../../documents/redirects.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import { readCapped, vetKeySet } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import type { Client } from './client.ts';

/** Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): the client's id is the address of what it says of itself. */

const maxBytes = 8_192;
const maxMs = 5_000;
/** However long a document says it may be kept: a host that changes hands must not be believed for weeks. */
const [leastFreshMs, mostFreshMs, usualFreshMs] = [60_000, 3_600_000, 600_000];
/** Whoever asks again and again does not make the broker ask as often. */
const betweenFetchesMs = 10_000;

const shape = z.looseObject({
  client_id: z.string(),
  client_name: z.string().min(1).max(200).optional(),
  redirect_uris: z.array(z.string().max(512)).min(1).max(20),
  token_endpoint_auth_method: z.string().default('none'),
  jwks: z.unknown().optional(),
  jwks_uri: z.string().max(512).optional(),
  client_secret: z.undefined().optional(),
  grant_types: z.array(z.string()).optional(),
  dpop_bound_access_tokens: z.boolean().default(false),
});

/** An address that may be a client's id: TLS, a path, nothing in it that two readers take for two addresses. */
export function isDocumentAddress(id: string): boolean {
  const url = URL.parse(id);
  if (!url || id.length > 512 || url.href !== id || url.username !== '' || url.password !== '' || url.hash !== '' || id.includes('#')) return false;
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.pathname !== '/' && !/[\\]|%2e|%2f|%5c/i.test(id);
}

interface Cached {
  readonly client: Client;
  readonly freshUntil: number;
}
interface Memory {
  readonly kept: Keyv<Cached>;
  readonly tried: Map<string, number>;
  readonly underway: Map<string, Promise<Client | string>>;
}
const perStore = new WeakMap<object, Memory>();
function memoryOf(ports: Pick<Ports, 'store'>): Memory {
  const known = perStore.get(ports.store) ?? { kept: new Keyv<Cached>(), tried: new Map(), underway: new Map() };
  perStore.set(ports.store, known);
  return known;
}

type Needs = Pick<Ports, 'store' | 'clock'>;

/** The client at that address, or why there is none, for the log. Only for an address that a document of the tenant names. */
export async function fetchClient(
  ports: Needs,
  snapshot: Pick<TenantSnapshot, 'tenant' | 'clientEgress'>,
  id: string,
  resolve?: LookupFunction,
): Promise<Client | string> {
  const { kept, tried, underway } = memoryOf(ports);
  const key = `${snapshot.tenant}|${id}`;
  const now = ports.clock();
  const cached = await kept.get(key).catch(() => undefined);
  if (cached && now < cached.freshUntil) return cached.client;
  const running = underway.get(key);
  if (running) return running;
  const last = tried.get(key);
  if (last !== undefined && now >= last && now - last < betweenFetchesMs) return 'it was tried a moment ago';
  tried.set(key, now);
  const attempt = read(snapshot, id, resolve)
    .then(async ({ client, freshMs }) => {
      await kept.set(key, { client, freshUntil: now + freshMs }, freshMs).catch(() => false);
      tried.delete(key);
      return client;
    })
    .catch(reasonOf)
    .finally(() => underway.delete(key));
  underway.set(key, attempt);
  return attempt;
}

async function read(
  { clientEgress }: Pick<TenantSnapshot, 'clientEgress'>,
  id: string,
  resolve?: LookupFunction,
): Promise<{ client: Client; freshMs: number }> {
  const url = new URL(id);
  const guard = egress(
    url,
    clientEgress.filter((entry) => entry === url.host || entry === url.hostname),
    resolve,
  );
  const agent = new Agent({ connect: { lookup: guard.lookup, timeout: maxMs } });
  const get = async (address: URL): Promise<{ value: unknown; headers: { get(name: string): string | null } }> => {
    guard.check(address);
    const response = await dial(address, {
      headers: { accept: 'application/json', 'user-agent': 'taskgate' },
      redirect: 'manual',
      dispatcher: agent,
      signal: AbortSignal.timeout(maxMs),
    });
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
    if (!/^application\/([a-z0-9.+-]+\+)?json\b/i.test(response.headers.get('content-type') ?? '')) throw new Error('is not JSON');
    const bytes = await readCapped(response as unknown as Response, maxBytes);
    if (bytes === null) throw new Error(`larger than ${maxBytes} bytes`);
    return { value: parseJsonStrict(bytes, { bytes: maxBytes, depth: 8 }), headers: response.headers };
  };
  try {
    const { value, headers } = await get(url);
    return { client: await clientOf(id, value, async (address) => (await get(address)).value), freshMs: freshFor(headers.get('cache-control')) };
  } finally {
    await agent.destroy();
  }
}

/** What stopped the socket stands behind the message of the fetch. */
function reasonOf(error: unknown): string {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (reason instanceof Error ? reason.message : 'unknown').slice(0, 300);
}

/** What the document says, held to what a client may be; throws otherwise. */
async function clientOf(id: string, value: unknown, get: (address: URL) => Promise<unknown>): Promise<Client> {
  const parsed = shape.safeParse(value);
  if (!parsed.success) throw new Error('is no document of a client');
  const { client_id: own, client_name: name, redirect_uris: redirects, token_endpoint_auth_method: method, grant_types: grants } = parsed.data;
  if (own !== id) throw new Error('names another client');
  if (grants && !grants.includes('authorization_code')) throw new Error('is of a client that asks for no code');
  // As MCP has it: TLS, or the sponsor's own machine.
  const usable = redirects.filter((one) => isRedirect(one) && /^https?:/.test(one));
  if (usable.length === 0) throw new Error('names no address to go back to');
  const keys = method === 'private_key_jwt' ? await keysOf(id, parsed.data, get) : null;
  if (method !== 'none' && (keys === null || keys.length === 0)) throw new Error('authenticates in a way that is not known here');
  const { host } = new URL(id);
  return { id, kind: 'document', name: name ?? host, host, redirects: usable, keys, bound: parsed.data.dpop_bound_access_tokens };
}

/** In the document, or at an address of the very host that serves it: a key of elsewhere would be a second one to trust. */
async function keysOf(id: string, { jwks, jwks_uri: address }: z.infer<typeof shape>, get: (address: URL) => Promise<unknown>): Promise<JWK[] | null> {
  if (address === undefined) return vetKeySet(jwks, 'sig');
  const url = URL.parse(address);
  if (jwks !== undefined || url?.origin !== new URL(id).origin) throw new Error('has its keys elsewhere');
  return vetKeySet(await get(url), 'sig');
}

function freshFor(header: string | null): number {
  if (header === null) return usualFreshMs;
  if (/\bno-(store|cache)\b/i.test(header)) return leastFreshMs;
  const age = Number(/\bmax-age=(\d{1,9})\b/i.exec(header)?.[1] ?? usualFreshMs / 1000) * 1000;
  return Math.min(mostFreshMs, Math.max(leastFreshMs, age));
}
