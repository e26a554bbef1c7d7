import { openStanding } from '../approvals/index.ts';
import { endOfDay } from '../documents/durations.ts';
import { observedUseCases } from '../documents/observed-use-cases.ts';
import type { Page } from '../store/store.ts';
import type { ExceptionSource, Found } from './exception.ts';

const atOnce = 100;
const dayMs = 86_400_000;
/** A widening stays in the register this long: then it is how things are. */
const wideningMs = 90 * dayMs;
/** By then somebody should have looked at what a widening led to. */
const reviewAfterMs = 30 * dayMs;

async function every<T extends { readonly id: string }>(list: (page: Page) => Promise<readonly T[]>): Promise<T[]> {
  const found: T[] = [];
  for (let after: string | null = null; ; ) {
    const some = await list({ after, limit: atOnce });
    found.push(...some);
    if (some.length < atOnce) return found;
    after = some.at(-1)?.id ?? null;
  }
}

export const standing: ExceptionSource = async (ports, { tenant }, now) => {
  const rows = await every((page) => ports.store.listStanding(tenant, { status: 'active' }, page));
  return rows.flatMap((row): Found[] => {
    if (row.expiresAt <= now || row.sealed.length === 0) return [];
    const { review_by, reason, max_calls } = openStanding(ports, row);
    const where = row.session === null ? `use case ${row.useCase}` : `session ${row.session}`;
    const what = `${row.tool} without asking ${row.requirement}${max_calls === null ? '' : `, at most ${max_calls} calls`}, in ${where}`;
    const reviewBy = review_by === null ? row.expiresAt : endOfDay(review_by);
    return [{ kind: row.kind, id: row.id, what, owner: row.author, reason, since: row.decidedAt, ends: row.expiresAt, reviewBy }];
  });
};

export const widenings: ExceptionSource = async ({ store }, { tenant }, now) => {
  const rows = await every((page) => store.listChanges(tenant, { status: 'applied' }, page));
  return rows.flatMap((row): Found[] => {
    const since = row.decidedAt ?? row.createdAt;
    if (since <= now - wideningMs) return [];
    const what = row.items.map((item) => `${item.kind} ${item.name}`).join(', ');
    return [{ kind: 'widening', id: row.id, what, owner: row.author, reason: row.reason, since, ends: null, reviewBy: since + reviewAfterMs }];
  });
};

export const observed: ExceptionSource = async (_ports, { useCases }, now) =>
  observedUseCases(
    [...useCases.values()].map(({ document }) => document),
    now,
  ).map(({ useCase, owner, until }): Found => {
    const what = `use case ${useCase}: policy of the tenant is recorded and not enforced`;
    return { kind: 'observed', id: useCase, what, owner, reason: null, since: null, ends: endOfDay(until), reviewBy: endOfDay(until) };
  });

/** A token that is good without a proof of a key is good for whoever copies it. */
export const bearers: ExceptionSource = async (_ports, { document: tenant, useCases }, now) =>
  tenant.require_proof
    ? []
    : [...useCases.values()].flatMap(({ document }): Found[] => {
        if (document.require_proof || endOfDay(document.expires) <= now) return [];
        const what = `use case ${document.name}: its tasks may be run with a token alone`;
        const reviewBy = endOfDay(document.review_by);
        return [{ kind: 'bearer', id: document.name, what, owner: document.owner, reason: null, since: null, ends: endOfDay(document.expires), reviewBy }];
      });

/** A connection token is good for whoever holds it, as long as it lasts. */
export const connectionTokens: ExceptionSource = async ({ store }, { tenant, agents }, now) => {
  const tokens = await store.listAgentTokens(tenant, null, now);
  return tokens.map(({ hash, agent, createdBy, expiresAt }): Found => {
    const known = agents.get(agent);
    const reviewBy = known === undefined ? null : Math.min(endOfDay(known.review_by), expiresAt);
    return { kind: 'bearer', id: hash, what: `connection token of ${agent}`, owner: createdBy, reason: null, since: null, ends: expiresAt, reviewBy };
  });
};

export const breakGlass: ExceptionSource = async ({ store }, { tenant }) => {
  const rows = await every((page) => store.listBreakGlass(tenant, {}, page));
  return rows.flatMap(({ id, status, terms, session, activatedAt, notAfter, reviewDue, reviewedAt }): Found[] => {
    const open = status === 'active' || (status === 'ended' && activatedAt !== null && reviewedAt === null);
    if (!open) return [];
    const what = `${terms.tools.join(', ')} in session ${session}: ${terms.incident}${status === 'ended' ? ' (over, not reviewed)' : ''}`;
    return [{ kind: 'break_glass', id, what, owner: terms.initiator.name, reason: terms.reason, since: activatedAt, ends: notAfter, reviewBy: reviewDue }];
  });
};

export const delegations: ExceptionSource = async ({ store }, { tenant }, now) => {
  const rows = await every((page) => store.listDelegations(tenant, { inForceAt: now }, page));
  return rows.map(({ id, group, lender, lenderName, delegateName, reason, createdAt, endsAt }): Found => {
    const what = `${delegateName} votes in the place of ${lenderName} in ${group}`;
    return { kind: 'delegation', id, what, owner: lender, reason, since: createdAt, ends: endsAt, reviewBy: endsAt };
  });
};
