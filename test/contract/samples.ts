import type { RecordBody, RecordType } from '../../server/audit/index.ts';
import { eventKinds } from '../../server/notifications/event.ts';
import type { NewBreakGlass } from '../../server/store/break-glass.ts';
import type { ClaimRequest, NewApproval, NewPasskey, NewSession, NewVote, PasskeyRow, Settlement, Store, StoredDocument } from '../../server/store/index.ts';

/** Builders of valid things; a test says only what it is about. */

export const start = 1_800_000_000_000;
export const hour = 3_600_000;

export const body = (type: RecordType, more: Partial<RecordBody> = {}): RecordBody => ({ type, at: start, ...more });

/** A channel of acme, as the store keeps it. */
export const channel = (name: string, events: readonly (typeof eventKinds)[number][] = eventKinds, tenant = 'acme'): StoredDocument => ({
  kind: 'Channel',
  name,
  source: 'channels.yaml',
  body: {
    apiVersion: 'taskgate/v1',
    kind: 'Channel',
    tenant,
    name,
    transport: { type: 'webhook', url: 'https://hooks.acme.example/' },
    credential: 'hook',
    events: [...events],
  },
});

export async function applyTenant(store: Store, tenant: string, expectedRevision = 0, documents: readonly StoredDocument[] = []): Promise<void> {
  const next = { tenant, documents, policies: [], pins: [], useCases: [] };
  const applied = await store.applyConfiguration({
    platform: null,
    tenants: [{ expectedRevision, next, records: [body('configuration.applied', { tenant })] }],
  });
  if (!applied.applied) throw new Error(`${applied.moved} moved`);
}

export function newSession(more: Partial<NewSession> = {}): NewSession {
  return {
    id: 'ses_1',
    tenant: 'acme',
    agent: 'matcher',
    useCase: 'match-invoices',
    workflow: 'invoice-matching',
    mode: 'delegated',
    sponsor: 'local#ana',
    requester: 'spiffe://acme.example/agent/matcher',
    parent: null,
    objective: 'Match INV-7',
    inputs: { invoice: 'INV-7' },
    sponsorGroups: [],
    attestedBy: 'sponsor',
    grants: [{ tool: 'ledger__post_payment', digest: 'd'.repeat(64), arguments: { invoice: { from: 'inputs.invoice' } }, origins: {}, maxCalls: 3 }],
    ceiling: 'confidential',
    budget: { calls: 200, amount: null, perDay: { calls: null, amount: null } },
    taskSha256: 't'.repeat(64),
    cnf: null,
    connection: null,
    openedAt: start,
    expiresAt: start + hour,
    sharedMemoryWindow: null,
    maxOpen: null,
    revision: 1,
    ...more,
  };
}

export async function open(store: Store, more: Partial<NewSession> = {}, at = more.openedAt ?? start) {
  const session = newSession({ openedAt: at, ...more });
  const opened = await store.openSession(session, at, body('session.opened', { tenant: session.tenant, session: session.id }));
  if ('refused' in opened) throw new Error(`not opened: ${opened.refused}`);
  return opened;
}

export const tryOpen = (store: Store, more: Partial<NewSession> = {}, at = start) =>
  store.openSession(newSession({ openedAt: at, ...more }), at, body('session.opened'));

let dispatches = 0;
export function claimRequest(more: Partial<ClaimRequest> = {}): ClaimRequest {
  dispatches += 1;
  return {
    tenant: 'acme',
    session: 'ses_1',
    tool: 'ledger__post_payment',
    revision: 1,
    labelVersion: 0,
    draws: [],
    approval: null,
    dispatch: `dsp_${dispatches}`,
    leaseUntil: start + 60_000,
    at: start + 1,
    record: body('call.dispatched', { tenant: more.tenant ?? 'acme', session: more.session ?? 'ses_1' }),
    ...more,
  };
}

/** Claims and waits until that is durable. */
export async function take(store: Store, more: Partial<ClaimRequest> = {}) {
  const { answer, durable } = await store.claim(claimRequest(more));
  await durable;
  return answer;
}

export function settlement(more: Partial<Settlement> & Pick<Settlement, 'dispatch' | 'fence'>): Settlement {
  return {
    tenant: 'acme',
    session: 'ses_1',
    outcome: 'completed',
    label: null,
    approvalOutcome: null,
    at: start + 2,
    record: body('call.completed', { dispatch: more.dispatch }),
    ...more,
  };
}

export function newApproval(more: Partial<NewApproval> = {}): NewApproval {
  return {
    id: 'apr_1',
    tenant: 'acme',
    session: 'ses_1',
    agent: 'matcher',
    tool: 'ledger__post_payment',
    callKey: 'k'.repeat(64),
    nonce: null,
    digest: 'p'.repeat(64),
    proposal: new Uint8Array([1, 2, 3]),
    requirements: ['approval:finance:2'],
    excluded: ['local#ana'],
    terms: { effect: 'destructive', stages: [], vetoes: {}, escalateTo: [] },
    createdAt: start,
    expiresAt: start + hour,
    ...more,
  };
}

export const limits = { session: 5, agent: 20, tenant: 100 };

export async function ask(store: Store, more: Partial<NewApproval> = {}) {
  const opened = await store.openApproval(newApproval(more), limits, body('approval.requested', { approval: more.id ?? 'apr_1' }));
  if ('refused' in opened) throw new Error(`not asked: ${opened.refused}`);
  return opened.approval;
}

export function newVote(name: string, more: Partial<NewVote> = {}): NewVote {
  return {
    tenant: 'acme',
    approval: 'apr_1',
    digest: 'p'.repeat(64),
    revision: 1,
    person: `local#${name}`,
    name,
    requirement: 'approval:finance:2',
    decision: 'approve',
    passkey: null,
    behalf: null,
    counter: null,
    reason: null,
    at: start + 1,
    record: body('approval.voted', { approval: more.approval ?? 'apr_1' }),
    ...more,
  };
}

/** Asked for by bob, for the sample tool. */
export const newBreakGlass = (tenant: string, session: string): NewBreakGlass => ({
  tenant,
  id: 'bgl_1',
  session,
  agent: 'matcher',
  revision: 1,
  at: start,
  confirmBy: start + hour / 4,
  terms: {
    tools: ['ledger__post_payment'],
    incident: 'INC-1',
    reason: 'because',
    lifetime: hour,
    calls: 3,
    amount: 0,
    initiator: { person: 'local#bob', name: 'bob' },
    excluded: ['local#ana'],
    credentials: ['ledger-key'],
  },
  record: body('break_glass.requested', { tenant, break_glass: 'bgl_1' }),
});

/** An approval that two people gave. */
export async function approve(store: Store, more: Partial<NewApproval> = {}) {
  const { id, tenant, digest } = await ask(store, more);
  for (const name of ['bob', 'carl']) await store.castVote(newVote(name, { approval: id, tenant, digest }));
  return { id, digest };
}

export async function typesOf(store: Store, tenant: string | null): Promise<string[]> {
  return (await store.readRecords(tenant, 0, 1000)).map(({ body: { type } }) => type);
}

/** A key of bob that has been in effect since the start. */
export function newPasskey(more: Partial<NewPasskey> = {}): NewPasskey {
  return {
    ...{ id: 'pky_1', tenant: 'acme', person: 'local#bob', name: 'yellow key', credential: 'Y3JlZA', publicKey: 'a2V5', algorithm: -7 },
    ...{ counter: 0, transports: ['usb'], rpId: 'localhost', enrolledAt: start, confirmedBy: 'local#dana', effectiveAt: start },
    ...more,
  };
}

export async function enrol(store: Store, more: Partial<NewPasskey> = {}): Promise<PasskeyRow> {
  const passkey = newPasskey(more);
  const { id, credential, publicKey: public_key, algorithm, rpId: rp_id, tenant, person: actor } = passkey;
  const record = body('passkey.enrolled', { tenant, actor, passkey: { id, credential, public_key, algorithm, rp_id } });
  const enrolled = await store.enrolPasskey(passkey, 10, record);
  if ('refused' in enrolled) throw new Error(enrolled.refused);
  return enrolled;
}
