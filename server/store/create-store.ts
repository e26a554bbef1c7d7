import type { Engine, Reach } from './engine.ts';
import type { Store } from './store.ts';
import * as agents from './verbs/agents.ts';
import { appendWhileLive } from './verbs/append-while-live.ts';
import { readApproval } from './verbs/approval-rows.ts';
import * as approvals from './verbs/approvals.ts';
import * as authorizations from './verbs/authorizations.ts';
import * as glass from './verbs/break-glass.ts';
import { activeBreakGlass, readBreakGlass } from './verbs/break-glass-rows.ts';
import * as changes from './verbs/changes.ts';
import { claim } from './verbs/claims.ts';
import * as configuration from './verbs/configuration.ts';
import * as consoles from './verbs/console.ts';
import { readUsed } from './verbs/counters.ts';
import * as delegations from './verbs/delegations.ts';
import { editApproval } from './verbs/edits.ts';
import { endBreakGlass, sweepBreakGlass } from './verbs/end-break-glass.ts';
import { endSession } from './verbs/end-session.ts';
import * as epochs from './verbs/epochs.ts';
import { extendSession } from './verbs/extensions.ts';
import * as looks from './verbs/looks.ts';
import * as notifications from './verbs/notifications.ts';
import { useOnce } from './verbs/once.ts';
import { openSession } from './verbs/open-session.ts';
import * as passkeys from './verbs/passkeys.ts';
import * as protocol from './verbs/protocol-sessions.ts';
import { appendRecords, readRecords } from './verbs/records.ts';
import { sweepReminders } from './verbs/reminders.ts';
import { noteRenewal, renewedUntil } from './verbs/renewals.ts';
import * as secrets from './verbs/secrets.ts';
import * as sessions from './verbs/sessions.ts';
import { settle } from './verbs/settlements.ts';
import * as standing from './verbs/standing-approvals.ts';
import {
  type Swept,
  sweepApprovals,
  sweepAtOnce,
  sweepChanges,
  sweepCounters,
  sweepDispatches,
  sweepSessions,
  sweepUsedOnce,
  tenantsWithDue,
} from './verbs/sweep.ts';
import * as tasks from './verbs/tasks.ts';
import { castVote } from './verbs/votes.ts';

const of = (tenant: string): Reach => ({ tenants: [tenant] });
const platform: Reach = { tenants: [], platform: true };
const everyTenant: Reach = { tenants: [], everyTenant: true };
/** What is used once is nobody's: its scope names the tenant. */
const nobody: Reach = { tenants: [] };
const logOf = (tenant: string | null): Reach => (tenant === null ? platform : of(tenant));

const countersSweptEveryMs = 3_600_000;

/** Every verb of the store on one engine. `clock` says (epoch milliseconds) what has expired where a verb is not told the time. */
export function createStore({ check, close, write, commit, read, readOnce, peek, subscribe }: Engine, clock: () => number): Store {
  let countersSwept = Number.NEGATIVE_INFINITY;

  return {
    check,
    close,
    subscribe,

    readPlatform: () => readOnce(platform, () => configuration.readPlatform()),
    listTenants: () => readOnce(everyTenant, () => configuration.listTenants()),
    readRevision: (tenant) => readOnce(of(tenant), () => configuration.readRevision(tenant)),
    readConfiguration: (tenant) => readOnce(of(tenant), () => configuration.readConfiguration(tenant)),
    applyConfiguration: (change) => {
      const tenants = [
        ...new Set([...change.tenants.map(({ next }) => next.tenant), ...[...(change.requests ?? []), change.approval].flatMap((one) => one?.tenant ?? [])]),
      ];
      return commit({ tenants, platform: true }, () => configuration.applyConfiguration(change));
    },

    requestChange: (change) => commit(of(change.tenant), () => changes.requestChange(change)),
    readChange: (tenant, id) => readOnce(of(tenant), () => changes.readChange(tenant, id)),
    listChanges: (tenant, filter, page) => readOnce(of(tenant), () => changes.listChanges(tenant, filter, page, clock())),
    recentChanges: (tenant, since) => readOnce(of(tenant), () => changes.recentChanges(tenant, since)),
    replanChange: (was, next, record) => commit(of(was.tenant), () => changes.replanChange(was, next, record)),
    settleChange: (which, how, record) => commit(of(which.tenant), () => changes.settleChange(which, how, record)),

    openSession: (session, at, record, grant) => commit(of(session.tenant), () => openSession(session, at, record, grant)),
    // A claim or a settlement reads it again, and what these answer is durable with all that it rests on.
    async readSession(tenant, id) {
      const view = await peek(of(tenant), () => sessions.readRootView(tenant, id));
      return view === 'drawn' ? read(of(tenant), () => sessions.readSessionView(tenant, id)) : view;
    },
    extendSession: (extension) => commit(of(extension.tenant), () => extendSession(extension)),
    sessionOfConnection: (tenant, connection) => read(of(tenant), () => sessions.sessionOfConnection(tenant, connection, clock())),
    listSessions: (tenant, filter, page) => readOnce(of(tenant), () => sessions.listSessions(tenant, filter, page, clock())),
    endSession: (tenant, id, how, at, record) => commit(of(tenant), () => endSession(tenant, id, how, at, record)),
    noteRenewal: (tenant, session, until, record) => commit(of(tenant), () => noteRenewal(tenant, session, until, record)),
    renewedUntil: (tenant, session) => readOnce(of(tenant), () => renewedUntil(tenant, session)),
    openProtocolSession: (opened, most) => commit(of(opened.tenant), () => protocol.openProtocolSession(opened, most)),
    readProtocolSession: (tenant, hash, holder, at) => readOnce(of(tenant), () => protocol.readProtocolSession(tenant, hash, holder, at)),
    keepProtocolSession: (tenant, hash, until) => commit(of(tenant), () => protocol.keepProtocolSession(tenant, hash, until)),
    cancelCall: (tenant, hash, request, at, session) => commit(of(tenant), () => protocol.cancelCall(tenant, hash, request, at, session)),
    isCancelled: (tenant, hash, request) => readOnce(of(tenant), () => protocol.isCancelled(tenant, hash, request)),
    endProtocolSession: (tenant, hash, holder, session) => commit(of(tenant), () => protocol.endProtocolSession(tenant, hash, holder, session)),
    setAgentStatus: (tenant, agent, status, record, approval) => commit(of(tenant), () => agents.setAgentStatus(tenant, agent, status, record, approval)),
    readAgentStatus: (tenant, agent) => readOnce(of(tenant), () => agents.readAgentStatus(tenant, agent)),

    // The answer comes out of the write transaction itself, so an early one is no less true; what is lost with a failed commit is told by `durable`.
    claim: (request) => write(of(request.tenant), () => claim(request)),
    settle: (settlement) => commit(of(settlement.tenant), () => settle(settlement)),
    keepDispatch: (tenant, session, id, until) => commit(of(tenant), () => tasks.keepDispatch(tenant, session, id, until)),
    cancelDispatch: (tenant, session, id, at, record) => commit(of(tenant), () => tasks.cancelDispatch(tenant, session, id, at, record)),
    readDispatch: (tenant, id) => readOnce(of(tenant), () => tasks.readDispatch(tenant, id)),
    listTasks: (tenant, session, at, limit) => readOnce(of(tenant), () => tasks.listTasks(tenant, session, at, limit)),

    openApproval: (approval, limits, record) => commit(of(approval.tenant), () => approvals.openApproval(approval, limits, record)),
    findApproval: (tenant, callKey, at) => read(of(tenant), () => approvals.findApproval(tenant, callKey, at)),
    readApproval: (tenant, id) => read(of(tenant), () => readApproval(tenant, id)),
    listApprovals: (tenant, filter, page) => read(of(tenant), () => approvals.listApprovals(tenant, filter, page, clock())),
    editApproval: (edit) => commit(of(edit.original.tenant), () => editApproval(edit)),
    castVote: (vote) => commit(of(vote.tenant), () => castVote(vote)),
    closeApproval: (tenant, id, status, at, record) => commit(of(tenant), () => approvals.closeApproval(tenant, id, status, at, record)),

    enrolPasskey: (passkey, most, record) => commit(of(passkey.tenant), () => passkeys.enrolPasskey(passkey, most, record)),
    listPasskeys: (tenant, person) => readOnce(of(tenant), () => passkeys.listPasskeys(tenant, person)),
    confirmPasskey: (tenant, id, how, record) => commit(of(tenant), () => passkeys.confirmPasskey(tenant, id, how, record)),
    removePasskey: (tenant, id, at, record) => commit(of(tenant), () => passkeys.removePasskey(tenant, id, at, record)),
    countPasskey: (tenant, id, person, counter, at) => commit(of(tenant), () => passkeys.signWithPasskey(tenant, id, person, counter, at)),
    putChallenge: (challenge, at) => commit(of(challenge.tenant), () => passkeys.putChallenge(challenge, at)),
    takeChallenge: (tenant, challenge, person, at) => commit(of(tenant), () => passkeys.takeChallenge(tenant, challenge, person, at)),

    proposeStanding: (one, revision, first) => commit(of(one.tenant), () => standing.proposeStanding(one, revision, first)),
    voteStanding: (vote) => commit(of(vote.tenant), () => standing.voteStanding(vote)),
    revokeStanding: (tenant, id, at, record) => commit(of(tenant), () => standing.revokeStanding(tenant, id, at, record)),
    readStanding: (tenant, id) => read(of(tenant), () => standing.readStanding(tenant, id)),
    listStanding: (tenant, filter, page) => read(of(tenant), () => standing.listStanding(tenant, filter, page)),
    standingFor: (tenant, tool, session, at) => read(of(tenant), () => standing.standingFor(tenant, tool, session, at)),

    giveDelegation: (one, revision, record) => commit(of(one.tenant), () => delegations.giveDelegation(one, revision, record)),
    endDelegation: (tenant, id, at, record) => commit(of(tenant), () => delegations.endDelegation(tenant, id, at, record)),
    readDelegation: (tenant, id) => readOnce(of(tenant), () => delegations.readDelegation(tenant, id)),
    listDelegations: (tenant, filter, page) => readOnce(of(tenant), () => delegations.listDelegations(tenant, filter, page)),

    putSecret: (tenant, name, sealed, at, record, approval) => commit(of(tenant), () => secrets.putSecret(tenant, name, sealed, at, record, approval)),
    readSecret: (tenant, name) => readOnce(of(tenant), () => secrets.readSecret(tenant, name)),
    listSecrets: (tenant) => readOnce(of(tenant), () => secrets.listSecrets(tenant)),

    putAgentToken: (token, record, approval) => commit(of(token.tenant), () => agents.putAgentToken(token, record, approval)),
    readAgentToken: (hash) => readOnce({ tenants: [], token: hash }, () => agents.readAgentToken(hash)),
    listAgentTokens: (tenant, agent, at) => readOnce(of(tenant), () => agents.listAgentTokens(tenant, agent, at)),
    revokeAgentToken: (tenant, hash, record) => commit(of(tenant), () => agents.revokeAgentToken(tenant, hash, record)),

    putAuthorizationCode: (code, record) => commit(of(code.tenant), () => authorizations.putAuthorizationCode(code, record)),
    readAuthorizationCode: (tenant, hash) => read(of(tenant), () => authorizations.readAuthorizationCode(tenant, hash)),
    burnAuthorizationCode: (tenant, hash, at) => commit(of(tenant), () => authorizations.burnAuthorizationCode(tenant, hash, at)),
    readRefreshToken: (tenant, hash) => read(of(tenant), () => authorizations.readRefreshToken(tenant, hash)),
    rotateRefreshToken: (tenant, hash, next, at) => commit(of(tenant), () => authorizations.rotateRefreshToken(tenant, hash, next, at)),

    putConsoleLink: (link) => commit(of(link.tenant), () => consoles.putConsoleLink(link)),
    readConsoleLink: (tenant, hash, at) => readOnce(of(tenant), () => consoles.readConsoleLink(tenant, hash, at)),
    openConsoleSession: (session, link, record) => commit(of(session.tenant), () => consoles.openConsoleSession(session, link, record)),
    readConsoleSession: (tenant, hash, at, idleSince) => readOnce(of(tenant), () => consoles.readConsoleSession(tenant, hash, at, idleSince)),
    touchConsoleSession: (tenant, hash, at) => commit(of(tenant), () => consoles.touchConsoleSession(tenant, hash, at)),
    endConsoleSession: (tenant, hash, record) => commit(of(tenant), () => consoles.endConsoleSession(tenant, hash, record)),
    noteShown: (tenant, approval, person, at) => commit(of(tenant), () => consoles.noteShown(tenant, approval, person, at)),
    amountUsed: (tenant, session) => readOnce(of(tenant), () => readUsed(tenant, `session/${session}`, 'amount')),
    listDispatches: (tenant, session, limit) => readOnce(of(tenant), () => looks.listDispatches(tenant, session, limit)),
    listDecisions: (tenant, since, limit) => readOnce(of(tenant), () => looks.listDecisions(tenant, since, limit)),

    useOnce: (scope, key, expiresAt, at, issuedAt) => commit(nobody, () => useOnce(scope, key, expiresAt, at, issuedAt ?? at)),

    appendWhileLive: (tenant, session, at, record) => commit(of(tenant), () => appendWhileLive(tenant, session, at, record)),
    append: (tenant, bodies) => commit(logOf(tenant), () => appendRecords(tenant, bodies)),
    readRecords: (tenant, from, limit) => readOnce(logOf(tenant), () => readRecords(tenant, from, limit)),

    notify: (tenant, event) => commit(of(tenant), () => notifications.notify(tenant, event)),
    tenantsWithDeliveries: (at) => readOnce(everyTenant, () => notifications.tenantsWithDeliveries(at)),
    leaseDeliveries: (tenant, lease) => commit(of(tenant), () => notifications.leaseDeliveries(tenant, lease)),
    settleDelivery: (outcome) => commit(of(outcome.tenant), () => notifications.settleDelivery(outcome)),
    listDeliveries: (tenant, filter, page) => readOnce(of(tenant), () => notifications.listDeliveries(tenant, filter, page)),
    disabledChannels: (tenant) => readOnce(of(tenant), () => notifications.disabledChannels(tenant)),
    countChannels: (tenant) => readOnce(of(tenant), () => notifications.countChannels(tenant)),

    requestBreakGlass: (request) => commit(of(request.tenant), () => glass.requestBreakGlass(request)),
    confirmBreakGlass: (confirmation) => commit(of(confirmation.tenant), () => glass.confirmBreakGlass(confirmation)),
    endBreakGlass: (tenant, id, reason, at, record) => commit(of(tenant), () => endBreakGlass(tenant, id, reason, at, record)),
    reviewBreakGlass: (review) => commit(of(review.tenant), () => glass.reviewBreakGlass(review)),
    readBreakGlass: (tenant, id) => read(of(tenant), () => readBreakGlass(tenant, id)),
    activeBreakGlass: (tenant, session, at) => read(of(tenant), () => activeBreakGlass(tenant, session, at)),
    listBreakGlass: (tenant, filter, page) => read(of(tenant), () => glass.listBreakGlass(tenant, filter, page)),

    readState: () => read(everyTenant, () => epochs.readState()),
    async startEpoch(change) {
      const tenants = (await read(everyTenant, () => configuration.listTenants())).map(({ tenant }) => tenant);
      return commit({ tenants, platform: true }, () => epochs.startEpoch(change, tenants));
    },

    async sweep(at) {
      const swept = { sessions: 0, approvals: 0, dispatches: 0, reminders: 0, changes: 0 };
      for (const tenant of await readOnce(everyTenant, () => tenantsWithDue(at))) {
        await untilDone(() => commit(of(tenant), () => sweepBreakGlass(tenant, at, sweepAtOnce)));
        swept.sessions += await untilDone(() => commit(of(tenant), () => sweepSessions(tenant, at)));
        swept.approvals += await untilDone(() => commit(of(tenant), () => sweepApprovals(tenant, at)));
        swept.reminders += await untilDone(() => commit(of(tenant), () => sweepReminders(tenant, at, sweepAtOnce)));
        await untilDone(() => commit(of(tenant), () => standing.sweepStanding(tenant, at, sweepAtOnce)));
        await untilDone(() => commit(of(tenant), () => tasks.sweepTasks(tenant, at, sweepAtOnce)));
        swept.dispatches += await untilDone(() => commit(of(tenant), () => sweepDispatches(tenant, at)));
        swept.changes += await untilDone(() => commit(of(tenant), () => sweepChanges(tenant, at)));
      }
      await commit(nobody, () => sweepUsedOnce(at));
      // They are read whole, and nothing hangs on their going at once.
      if (at - countersSwept >= countersSweptEveryMs || at < countersSwept) {
        countersSwept = at;
        for (const { tenant } of await read(everyTenant, () => configuration.listTenants())) {
          await untilDone(() => commit(of(tenant), () => sweepCounters(tenant, at)));
          await untilDone(() => commit(of(tenant), () => notifications.sweepDeliveries(tenant, at)));
          await commit(of(tenant), () => consoles.sweepConsole(tenant, at));
          await commit(of(tenant), () => passkeys.sweepChallenges(tenant, at));
          await commit(of(tenant), () => protocol.sweepProtocolSessions(tenant, at));
          await commit(of(tenant), () => authorizations.sweepAuthorizations(tenant, at));
        }
      }
      return swept;
    },
  };
}

/** One transaction after the other, each taking what is due up to its limit; answers how many of the counted kind there were. */
async function untilDone(once: () => Promise<Swept>): Promise<number> {
  for (let sum = 0; ; ) {
    const { counted, touched } = await once();
    sum += counted;
    if (touched < sweepAtOnce) return sum;
  }
}
