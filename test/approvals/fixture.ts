import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { bottom } from '../../policies/index.ts';
import { createDecisions, excludedFrom, type Proposal, sealProposal, termsOf } from '../../server/approvals/index.ts';
import { createAccessLog } from '../../server/audit/index.ts';
import { config as configShape } from '../../server/config.ts';
import { openKeys } from '../../server/credentials/index.ts';
import { agentDocument, createTenants, platformDocument, tenantDocument, useCaseDocument } from '../../server/documents/index.ts';
import type { Person } from '../../server/identity/index.ts';
import { createLimits } from '../../server/limits/index.ts';
import type { Ports } from '../../server/ports.ts';
import { openSqliteStore } from '../../server/store/index.ts';
import type { ApprovalRow, NewApproval, PolicyText, SessionRow, StoredDocument } from '../../server/store/store.ts';
import { credentialDocument, definitionDigest, sha256Hex, type ToolDefinition, upstreamDocument } from '../../tools/index.ts';

/** A broker's ports over a real store in a temporary folder, with two tenants whose people stand in every relation to an approval. */
export interface Bench {
  readonly ports: Ports;
  readonly now: { at: number };
  openSession(over?: Partial<SessionRow>): Promise<SessionRow>;
  /** An approval of a payment in this session, as the call path asks for one. */
  ask(session: SessionRow, requirements?: readonly string[], over?: Partial<NewApproval>): Promise<ApprovalRow>;
  /** Applies the tenant's documents again with other people: the revision moves on. */
  changePeople(tenant: string, people: Record<string, unknown>, more?: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export const acmePeople = {
  ana: { subject: 'local#ana', groups: ['finance'] },
  'ana-the-reviewer': { subject: 'https://login.acme.example#ana', groups: ['finance'], roles: ['reviewer'] },
  bob: { subject: 'local#bob', groups: ['finance'], roles: ['reviewer'] },
  carl: { subject: 'local#carl', groups: ['finance'], roles: ['reviewer'] },
  lea: { subject: 'local#lea', groups: ['legal'], roles: ['reviewer'] },
  nora: { subject: 'local#nora', groups: ['finance', 'legal'], roles: ['reviewer'] },
  fred: { subject: 'local#fred', groups: ['finance'] },
  dana: { subject: 'local#dana', roles: ['admin'] },
  emma: { subject: 'local#emma', roles: ['admin'] },
  olga: { subject: 'local#olga', roles: ['auditor'] },
  rita: { subject: 'local#rita', groups: ['finance'], roles: ['reviewer'] },
  otto: { subject: 'local#otto', groups: ['finance'], roles: ['reviewer'] },
} as const;
const globexPeople = {
  greta: { subject: 'local#greta', groups: ['finance'] },
  hugo: { subject: 'local#hugo', groups: ['finance'], roles: ['reviewer'] },
  jan: { subject: 'local#jan', roles: ['admin', 'auditor', 'reviewer'] },
};

const nameOf = (people: object, id: string): string | null =>
  Object.entries(people as typeof acmePeople).find(([, { subject }]) => subject === id)?.[0] ?? null;
export const acme = (id: string): Person => ({ tenant: 'acme', id, name: nameOf(acmePeople, id) });
export const globex = (id: string): Person => ({ tenant: 'globex', id, name: nameOf(globexPeople, id) });

const trustOf = (tenant: string) => [
  { oidc: 'local', audience: 'taskgate', for: 'people' },
  { oidc: `https://login.${tenant}.example`, audience: 'taskgate', for: 'people' },
  { spiffe: `${tenant}.example`, bundle: 'local', for: 'workloads' },
];
const platform = platformDocument.parse({
  kind: 'Platform',
  tenants: { acme: { trust: trustOf('acme') }, globex: { trust: trustOf('globex') } },
  commands: { 'sample-ledger': { run: ['node', '/nowhere/ledger.ts'] } },
});

function documentsOf(tenant: string, people: Record<string, unknown>, more: Record<string, unknown>): StoredDocument[] {
  const bodies = [
    tenantDocument.parse({ kind: 'Tenant', name: tenant, people, ...more }),
    agentDocument.parse({
      kind: 'Agent',
      tenant,
      name: 'invoice-matcher',
      owner: 'otto',
      purpose: 'Matches invoices',
      workflow: 'invoice-matching',
      identity: `spiffe://${tenant}.example/agent/invoice-matcher`,
      clearance: 'confidential',
      expires: '2099-01-01',
      review_by: '2098-01-01',
    }),
    ...['match-invoices', 'match-at-night'].map((name) =>
      useCaseDocument.parse({
        kind: 'UseCase',
        tenant,
        name,
        workflow: 'invoice-matching',
        owner: 'rita',
        purpose: 'Pays what matches',
        ...(name === 'match-invoices' ? { sponsors: { groups: ['finance'] } } : { accountable: 'dana' }),
        grants: [{ tool: 'ledger__post_payment' }],
        ceiling: 'confidential',
        lifetime: { default: '30m', longest: '4h' },
        budget: { calls: 200 },
        expires: '2099-01-01',
        review_by: '2098-01-01',
      }),
    ),
    upstreamDocument.parse({
      ...{ kind: 'Upstream', tenant, name: 'ledger', transport: { type: 'stdio', command: 'sample-ledger' }, credential: 'ledger-key' },
      tools: [
        {
          ...{ name: 'post_payment', effect: 'destructive', reaches: 'external', accepts: 'internal' },
          ...{ targets: { iban: 'iban', amount: 'amount' }, returns: { sensitivity: 'internal' } },
        },
      ],
    }),
    credentialDocument.parse({ kind: 'Credential', tenant, name: 'ledger-key', type: 'static', inject: { env: 'LEDGER_KEY' } }),
  ];
  return bodies.map((body) => ({ kind: body.kind, name: body.name, body, source: 'test.yaml' }));
}

const payment: ToolDefinition = {
  name: 'post_payment',
  inputSchema: {
    type: 'object',
    properties: { invoice: { type: 'string' }, iban: { type: 'string' }, amount: { type: 'number' } },
    required: ['invoice', 'iban', 'amount'],
  },
};
const digest = definitionDigest(payment);
const pin = { upstream: 'ledger', tool: 'post_payment', definition: payment, digest };
const useCases = ['match-invoices', 'match-at-night'].map((name) => ({
  name,
  grants: [{ tool: 'ledger__post_payment', digest, arguments: {}, origins: {}, maxCalls: null }],
}));

export const lawOf = (tenant: string): PolicyText => ({
  file: `${tenant}/invoices.cedar`,
  text: `
@id("${tenant}/matcher-may-use-its-grants")
@reason("Invoice matching may use what its session was granted")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "invoice-matching" };

@id("${tenant}/payments-need-finance")
@reason("Payments above 500 need two people from finance")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when   { context.args.amount.greaterThan(decimal("500.0")) }
unless { context.satisfied.contains("approval:finance:2") };
`,
  cases: `
- case: 600 needs two from finance
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 600 } }
  expect: { decision: require, requirements: ["approval:finance:2"], policies: [${tenant}/payments-need-finance] }
- case: 500 runs
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 500 } }
  expect: { decision: allow }
`,
});

export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'taskgate-approvals-'));
  const now = { at: Date.UTC(2026, 10, 25, 12) };
  const clock = (): number => now.at;
  const store = await openSqliteStore({ path: join(folder, 'taskgate.db'), clock });
  const log = pino({ level: 'silent' });
  const settings = { ...configShape.parse({}), public_url: 'http://localhost:7411' };
  const tenants = createTenants(store, log);
  const unreachable = { connect: () => Promise.reject(new Error('no upstreams here')), close: () => Promise.resolve() };
  const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('base64url')}`;
  const ports: Ports = {
    ...{ config: settings, clock, newId, store, tenants, log },
    upstreams: unreachable,
    keys: await openKeys(join(folder, 'keys'), clock),
    decisions: createDecisions(store),
    limits: createLimits(settings.limits, clock),
    access: createAccessLog({ store, clock: clock, log: pino({ level: 'silent' }) }),
  };

  const apply = async (tenant: string, people: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<void> => {
    const next = { tenant, documents: documentsOf(tenant, people, more), policies: [lawOf(tenant)], pins: [pin], useCases };
    const expectedRevision = (await store.readRevision(tenant)) ?? 0;
    const stored = { kind: 'Platform' as const, name: 'platform', body: platform, source: 'platform.yaml' };
    await store.applyConfiguration({ platform: stored, tenants: [{ expectedRevision, next, records: [] }] });
  };
  await apply('acme', acmePeople);
  await apply('globex', globexPeople);

  return {
    ports,
    now,
    async openSession(over = {}) {
      const tenant = over.tenant ?? 'acme';
      const id = `ses_${tenant}_${randomBytes(16).toString('base64url')}`;
      const opened = await store.openSession(
        {
          ...{ id, tenant, agent: 'invoice-matcher', useCase: 'match-invoices', workflow: 'invoice-matching', mode: 'delegated' },
          ...{ sponsor: 'local#ana', requester: `spiffe://${tenant}.example/agent/invoice-matcher`, parent: null, objective: 'Pay INV-7' },
          ...{ inputs: { invoice: 'INV-7' }, attestedBy: 'sponsor', sponsorGroups: [], grants: [], ceiling: 'confidential' },
          ...{ budget: { calls: 200, amount: null, perDay: { calls: null, amount: null } }, taskSha256: 'f'.repeat(64), cnf: null, connection: null },
          ...{ openedAt: now.at, expiresAt: now.at + 4 * 3_600_000, sharedMemoryWindow: null, maxOpen: null },
          revision: (await store.readRevision(tenant)) ?? 0,
          ...over,
        },
        now.at,
        { type: 'session.opened', at: now.at, tenant, session: id },
      );
      if ('refused' in opened) throw new Error(opened.refused);
      return opened;
    },
    async ask(session, requirements = ['approval:finance:2'], over = {}) {
      const snapshot = await tenants.current(session.tenant);
      if (!snapshot) throw new Error('no tenant');
      const id = newId('apr');
      const expiresAt = now.at + 3_600_000;
      const { digest, sealed } = sealProposal(ports, id, proposalFor(session, requirements, now.at, expiresAt));
      const about = { tenant: session.tenant, session: session.id, agent: session.agent, tool: 'ledger__post_payment' };
      const answer = await store.openApproval(
        {
          ...{ id, ...about, callKey: sha256Hex(id), nonce: null, digest, proposal: sealed, requirements, createdAt: now.at, expiresAt },
          excluded: excludedFrom(snapshot, session),
          terms: termsOf(snapshot.document, 'destructive'),
          ...over,
        },
        { session: 1000, agent: 1000, tenant: 100 },
        { type: 'approval.requested', at: now.at, ...about, approval: id },
      );
      if ('refused' in answer) throw new Error(answer.refused);
      return answer.approval;
    },
    changePeople: apply,
    async close() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

export const secretArgument = 'DE02120300000000202051';

const proposalFor = (session: SessionRow, requirements: readonly string[], createdAt: number, expiresAt: number): Proposal => ({
  ...{ tenant: session.tenant, session: session.id, tool: 'ledger__post_payment', tool_digest: 'a'.repeat(64) },
  arguments: { invoice: 'INV-7', iban: secretArgument, amount: 600 },
  ...{ agent: session.agent, owner: 'otto', sponsor: session.sponsor, requirements: [...requirements] },
  label: { ...bottom, categories: [] },
  ...{ revision: 1, policies: [{ id: 'acme/payments-need-finance', reason: 'Payments above 500 need two people from finance' }] },
  ...{ use_case: session.useCase, purpose: 'Pays what matches', objective: session.objective, inputs: { ...session.inputs } },
  ...{ attested_by: session.attestedBy, effect: 'destructive', reaches: 'external', principal: 'shared', says: null },
  ...{ created_at: createdAt, expires_at: expiresAt },
});
