import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeBackup } from '../../server/backup/index.ts';
import type { Keys, SecretKey } from '../../server/credentials/index.ts';
import { openDraft, openSnapshot, type Snapshot, type Store } from '../../server/store/index.ts';
import { newCode, newGrant } from '../contract/authorizations.contract.ts';
import { newChange } from '../contract/changes.contract.ts';
import { aboutGiven, newDelegation } from '../contract/delegations.contract.ts';
import {
  applyTenant,
  approve,
  ask,
  body,
  channel,
  enrol,
  hour,
  newBreakGlass,
  newSession,
  newVote,
  open,
  settlement,
  start,
  take,
} from '../contract/samples.ts';
import { newStanding, standingVote } from '../contract/standing.contract.ts';

export const later = start + hour / 2;

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'taskgate-backup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const secret = (id: string): SecretKey => ({ id, createdAt: 0, retiresAt: null, bytes: randomBytes(32) });
export const newKeys = (name = 'k'): Keys => ({
  token: [],
  state: [secret(`${name}-state`)],
  hmac: [secret(`${name}-hmac`)],
  escrow: [secret(`${name}-escrow`)],
  anchor: [secret(`${name}-anchor`)],
});

/** Something in every table and in every state that a restore tells apart. */
export async function populate(store: Store): Promise<void> {
  for (const tenant of ['acme', 'globex']) {
    await applyTenant(store, tenant, 0, [channel('on-call', undefined, tenant)]);
    // The parent's id comes after the child's: rows refer forward.
    await open(store, { tenant, id: 'ses_z', expiresAt: start + 9 * hour });
    await open(store, { tenant, id: 'ses_a', parent: 'ses_z', cnf: { jkt: 'x' }, connection: `connection of ${tenant}` });
    await open(store, { tenant, id: 'ses_over', objective: 'Prüfe „ÄÖÜ“ 🧾' });
    await store.endSession(tenant, 'ses_over', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
    await open(store, { tenant, id: 'ses_held' });
    await store.endSession(tenant, 'ses_held', { status: 'suspended', reason: 'held' }, start + 1, body('session.suspended'));
    await store.requestBreakGlass(newBreakGlass(tenant, 'ses_z'));
    await ask(store, { tenant, session: 'ses_z', id: 'waits', callKey: 'waits', proposal: randomBytes(300) });
    await approve(store, { tenant, session: 'ses_z', id: 'given', callKey: 'given' });
    await ask(store, { tenant, session: 'ses_z', id: 'denied', callKey: 'denied' });
    await store.castVote(newVote('bob', { tenant, approval: 'denied', decision: 'deny', reason: 'no' }));
    const ran = await approve(store, { tenant, session: 'ses_z', id: 'ran', callKey: 'ran' });
    const draws = [{ scope: 'session/ses_z', key: 'calls', amount: 1, limit: 9 }];
    const taken = await take(store, { tenant, session: 'ses_z', approval: ran, dispatch: 'dsp_ran', draws });
    if (!taken.claimed) throw new Error(taken.why);
    const outcome = { approval: 'ran', sealed: new Uint8Array([0, 255, 10]) };
    const label = { sensitivity: 'internal', categories: ['pii'], integrity: 'external' } as const;
    await store.settle(settlement({ tenant, session: 'ses_z', dispatch: 'dsp_ran', fence: taken.fence, approvalOutcome: outcome, label }));
    await take(store, { tenant, session: 'ses_z', dispatch: 'dsp_flies', labelVersion: 1 });
    await store.setAgentStatus(tenant, 'helper', 'suspended', body('agent.suspended'));
    await store.putSecret(tenant, 'key', randomBytes(40), start, body('credential.set'));
    const token = { tenant, agent: 'matcher', createdBy: 'local#dana', expiresAt: start + 9 * hour };
    await store.putAgentToken({ ...token, hash: `live of ${tenant}`, revoked: false }, body('agent.token_created'));
    await store.putAgentToken({ ...token, hash: `dead of ${tenant}`, revoked: true }, body('agent.token_created'));
    await enrol(store, { tenant });
    await enrol(store, { tenant, id: 'pky_waits', credential: 'waits', confirmedBy: null, effectiveAt: null });
    const challenge = { tenant, challenge: 'open', person: 'local#bob', purpose: 'vote', about: '{}', expiresAt: start + hour };
    await store.putChallenge(challenge, start);
    await store.requestChange(newChange({ tenant }));
    await store.proposeStanding(newStanding({ tenant }), 1, null);
    await store.giveDelegation(newDelegation({ tenant }), 1, aboutGiven(newDelegation({ tenant })));
    await store.voteStanding({ ...standingVote('bob'), tenant, standing: 'sta_1', digest: 's'.repeat(64), revision: 1 });
    const visitor = { tenant, person: 'local#bob', expiresAt: start + hour };
    await store.putConsoleLink({ ...visitor, hash: `link of ${tenant}`, madeAt: start });
    await store.openConsoleSession(
      { ...visitor, hash: `login of ${tenant}`, loggedInAt: start, provedAt: null, claimedGroups: ['finance'] },
      null,
      body('person.login'),
    );
    await store.putAuthorizationCode(newCode({ tenant, hash: 'waits' }), body('session.consented'));
    await store.putAuthorizationCode(newCode({ tenant }), body('session.consented'));
    const { refresh } = newGrant();
    const consented = newSession({ tenant, id: 'ses_consented' });
    await store.openSession(consented, start, body('session.opened'), newGrant({ refresh: { ...refresh, tenant } }));
    await store.openProtocolSession({ tenant, hash: 'named', holder: 'a client', openedAt: start, expiresAt: start + hour }, 16);
    await store.cancelCall(tenant, 'named', '7', start, null);
    await store.noteRenewal(tenant, 'ses_consented', start + hour, body('session.renewed'));
    await store.noteShown(tenant, 'waits', 'local#bob', start);
    await store.useOnce(`login/${tenant}`, 'used', start + hour, start);
  }
  await store.append(null, [body('access.refused'), body('access.refused', { detail: 'ü\u2028\\n"' })]);
  const platform = { kind: 'Platform', name: 'platform', source: 'p.yaml', body: { kind: 'Platform' } } as never;
  await store.applyConfiguration({ platform, tenants: [], platformRecords: [body('configuration.applied')] });
}

type Tables = Record<string, Record<string, unknown>[]>;

/** Every row of every table, in one order whatever the engine's. */
export async function everything(address: string): Promise<Tables> {
  const snapshot = await openSnapshot(address);
  try {
    return await rowsOf(snapshot);
  } finally {
    await snapshot.close();
  }
}

export async function rowsOf(snapshot: Snapshot): Promise<Tables> {
  const tables: Tables = {};
  for (const table of snapshot.tables) {
    const rows: Record<string, unknown>[] = [];
    for await (const batch of snapshot.rows(table))
      for (const row of batch)
        rows.push(
          Object.fromEntries(table.columns.map((column, at) => [column, row[at] instanceof Uint8Array ? Buffer.from(row[at]).toString('hex') : row[at]])),
        );
    tables[table.name] = rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return tables;
}

export async function backUp(address: string, keys: Keys, path: string) {
  const snapshot = await openSnapshot(address);
  try {
    return await writeBackup(snapshot, keys, path, later);
  } finally {
    await snapshot.close();
  }
}

/** A copy of the store as it is, without the rule a restore applies. */
export async function copyPlain(from: string, to: string): Promise<void> {
  const snapshot = await openSnapshot(from);
  const draft = await openDraft(to, { version: snapshot.version, replace: false, suffix: 'x' });
  for (const table of snapshot.tables) for await (const batch of snapshot.rows(table)) await draft.insert(table, batch);
  await draft.finish(snapshot.state, function* () {});
  await snapshot.close();
}
