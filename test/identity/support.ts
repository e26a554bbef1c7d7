import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { pino } from 'pino';
import { createDecisions } from '../../server/approvals/index.ts';
import { createAccessLog } from '../../server/audit/index.ts';
import { config } from '../../server/config.ts';
import { openKeys } from '../../server/credentials/index.ts';
import { agentDocument, platformDocument, tenantDocument, useCaseDocument } from '../../server/documents/kinds.ts';
import type { TenantSnapshot, Tenants } from '../../server/documents/snapshot.ts';
import { ensureLocal, localRoutes, localTenant, tenantIssuer } from '../../server/identity/index.ts';
import { newId } from '../../server/ids.ts';
import { createLimits } from '../../server/limits/index.ts';
import { oauthRoutes } from '../../server/oauth/index.ts';
import type { Ports } from '../../server/ports.ts';
import { openSqliteStore, type SessionGrant } from '../../server/store/index.ts';

/** A key pair of a test, with its public JWK as a key set or document would hold it. */
export interface TestKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
  readonly alg: string;
  readonly kid: string;
}

export async function makeTestKey(alg = 'ES256', options: { kid?: string; modulusLength?: number } = {}): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, {
    extractable: true,
    ...(options.modulusLength ? { modulusLength: options.modulusLength } : {}),
  });
  const publicJwk = await exportJWK(publicKey);
  const kid = options.kid ?? (await calculateJwkThumbprint(publicJwk));
  return { privateKey, publicJwk: { ...publicJwk, kid }, privateJwk: { ...(await exportJWK(privateKey)), kid, alg }, alg, kid };
}

export const sign = (key: TestKey, claims: JWTPayload, header: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);

export const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

export const grantOf = (tool: string, more: Partial<SessionGrant> = {}): SessionGrant => ({
  tool,
  digest: `digest-of-${tool}`,
  arguments: {},
  origins: {},
  maxCalls: null,
  ...more,
});

export interface TestTenant {
  readonly trust?: readonly unknown[];
  readonly tenant?: Readonly<Record<string, unknown>>;
  readonly agents?: readonly Readonly<Record<string, unknown>>[];
  readonly useCases?: readonly (Readonly<Record<string, unknown>> & { grants?: readonly SessionGrant[] })[];
}

const agentDefaults = { kind: 'Agent', owner: 'dana', purpose: 'Matches invoices', workflow: 'invoice-matching', clearance: 'confidential', memory: 'none' };
const useCaseDefaults = {
  kind: 'UseCase',
  name: 'match-invoices',
  workflow: 'invoice-matching',
  owner: 'dana',
  purpose: 'Find the order an invoice belongs to',
  ceiling: 'confidential',
  lifetime: { default: '30m', longest: '4h' },
  budget: { calls: 200, per_day: { calls: 1000, amount: 5000 } },
};
export const defaultGrants = [
  grantOf('mail__search'),
  grantOf('mail__read_message'),
  grantOf('ledger__post_payment', { arguments: { invoice: { from: 'inputs.invoice' } }, maxCalls: 3 }),
];

/** A snapshot from documents as they would be written, checked by their real schemas; tools and policy are left out. */
export function snapshotOf(name: string, revision: number, parts: TestTenant = {}): TenantSnapshot {
  const domain = `${name}.example`;
  const { trust } = platformDocument.parse({
    kind: 'Platform',
    tenants: {
      [name]: {
        trust: parts.trust ?? [
          { spiffe: domain, bundle: 'local', for: 'workloads' },
          { oidc: 'local', audience: 'taskgate', for: 'people' },
        ],
      },
    },
  }).tenants[name] ?? { trust: [] };
  const people = {
    ana: { subject: 'local#ana', groups: ['finance'] },
    bob: { subject: 'local#bob', groups: ['finance'], roles: ['reviewer'] },
    eve: { subject: 'local#eve', groups: ['sales'] },
    dana: { subject: 'local#dana', roles: ['admin'] },
  };
  const agents = (parts.agents ?? [{ name: 'invoice-matcher', identity: `spiffe://${domain}/agent/invoice-matcher` }]).map((agent) =>
    agentDocument.parse({ ...agentDefaults, tenant: name, expires: inDays(200), review_by: inDays(100), ...agent }),
  );
  const useCases = (parts.useCases ?? [{ sponsors: { groups: ['finance'] }, inputs: { invoice: { type: 'string', pattern: '^INV-[0-9]{1,8}$' } } }]).map(
    ({ grants, ...useCase }) => ({
      document: useCaseDocument.parse({
        ...useCaseDefaults,
        tenant: name,
        grants: [{ tools: ['mail__*'] }],
        expires: inDays(200),
        review_by: inDays(100),
        ...useCase,
      }),
      grants: grants ?? defaultGrants,
    }),
  );
  return {
    tenant: name,
    revision,
    document: tenantDocument.parse({ kind: 'Tenant', name, people, ...parts.tenant }),
    trust,
    agents: new Map(agents.map((agent) => [agent.name, agent])),
    useCases: new Map(useCases.map((entry) => [entry.document.name, entry])),
    upstreams: new Map(),
    credentials: new Map(),
    channels: new Map(),
    channelEgress: [],
    clientEgress: [],
    tools: new Map(),
    quarantined: new Map(),
    policy: {
      tenant: name,
      decide: () => ({ decision: 'deny', cause: 'no_permit', policies: [], detail: null }),
      listable: () => false,
    },
  };
}

export interface TestBroker {
  readonly ports: Ports;
  readonly app: Hono;
  readonly dir: string;
  /** Moves the broker's clock. */
  advance(ms: number): void;
  snapshot(tenant?: string): TenantSnapshot;
  /** Applies another configuration: the revision moves on, as `apply` would. */
  change(tenant: string, parts: TestTenant): Promise<TenantSnapshot>;
  /** POSTs a form to the tenant's endpoint. */
  post(
    endpoint: 'token' | 'revoke' | 'introspect',
    form: Readonly<Record<string, string>>,
    options?: { tenant?: string; authorization?: string; dpop?: string },
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  close(): Promise<void>;
}

/** A broker without its upstreams: a real SQLite file, real keys, the real doors of this folder, tenants made by hand. */
export async function startTestBroker(tenants: Readonly<Record<string, TestTenant>> = { acme: {} }): Promise<TestBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'taskgate-identity-'));
  let offset = 0;
  const clock = (): number => Date.now() + offset;
  const store = await openSqliteStore({ path: join(dir, 'taskgate.db'), clock });
  const snapshots = new Map<string, TenantSnapshot>();
  const apply = async (name: string, parts: TestTenant): Promise<TenantSnapshot> => {
    const expectedRevision = (await store.readRevision(name)) ?? 0;
    const next = { tenant: name, documents: [], policies: [], pins: [], useCases: [] };
    const applied = await store.applyConfiguration({ platform: null, tenants: [{ expectedRevision, next, records: [] }] });
    if (!applied.applied) throw new Error('the revision moved');
    const snapshot = snapshotOf(name, applied.revisions[name] ?? 0, parts);
    snapshots.set(name, snapshot);
    const local = localTenant({ tenant: name, trust: snapshot.trust, agents: snapshot.agents.values() });
    if (local) await ensureLocal(dir, [local]);
    return snapshot;
  };
  for (const [name, parts] of Object.entries(tenants)) await apply(name, parts);
  const directory: Tenants = {
    current: async (tenant) => snapshots.get(tenant) ?? null,
    at: async (tenant, revision) => (snapshots.get(tenant)?.revision === revision ? (snapshots.get(tenant) ?? null) : null),
  };
  const ports: Ports = {
    config: { ...config.parse({ data: dir, store: `sqlite:${join(dir, 'taskgate.db')}` }), public_url: 'http://localhost:7411' },
    clock,
    newId,
    store,
    tenants: directory,
    upstreams: { connect: () => Promise.reject(new Error('no upstreams in this test')), close: async () => {} },
    keys: await openKeys(join(dir, 'keys'), clock),
    decisions: createDecisions(store),
    limits: createLimits(config.parse({}).limits, clock),
    access: createAccessLog({ store, clock: clock, log: pino({ level: 'silent' }) }),
    log: pino({ level: 'silent' }),
  };
  const app = new Hono().route('/', oauthRoutes(ports)).route('/', localRoutes(ports));
  return {
    ports,
    app,
    dir,
    advance: (ms) => {
      offset += ms;
    },
    snapshot: (tenant = 'acme') => {
      const found = snapshots.get(tenant);
      if (!found) throw new Error(`no tenant ${tenant}`);
      return found;
    },
    change: apply,
    post: async (endpoint, form, { tenant = 'acme', ...headers } = {}) => {
      const response = await app.request(`/t/${tenant}/oauth/${endpoint}`, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers,
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    close: async () => {
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export const issuerOf = (broker: TestBroker, tenant = 'acme'): string => tenantIssuer(broker.ports.config, tenant);
export const nowOf = (broker: TestBroker): number => Math.floor(broker.ports.clock() / 1000);

/** A real HTTP server on a free port of this machine that answers with whatever `respond` does; counts its requests. */
export async function serve(
  respond: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; hits: () => number; close: () => Promise<void> }> {
  let hits = 0;
  const server: Server = createServer((request, response) => {
    hits += 1;
    respond(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, hits: () => hits, close };
}

export const sendJson = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
};
