import { dominates } from '../../policies/index.ts';
import { canonicalForm } from '../../tools/index.ts';
import { mustBeSigned, openProposal, type Proposal, satisfiedLiterals } from '../approvals/index.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow } from '../store/store.ts';
import type { CallIo, CallRequest, CallResult, Edited } from './call.ts';
import { editedOf } from './edited.ts';
import { enterSession } from './enter-session.ts';
import { type Judgement, judge } from './judge.ts';
import { type BreakGlass, liftByBreakGlass } from './lift-by-break-glass.ts';
import { isRefusal, type Refusal, refuse } from './refusals.ts';
import { replayOutcome } from './replay-outcome.ts';
import { requestApproval } from './request-approval.ts';
import { callKeyOf, resolveNamed } from './resolve-tool.ts';
import { type Rest, type Resting, resting } from './rest-on-standing.ts';
import { whyStopped } from './while-live.ts';

declare const warranted: unique symbol;

/** Evidence that this exact call may run: nobody had to be asked, or those asked agreed to exactly it. */
export interface Warrant {
  readonly [warranted]: true;
  /** Made last, with whatever was satisfied by then. */
  readonly judgement: Judgement;
  readonly approval: WarrantedBy | null;
  readonly breakGlass: BreakGlass | null;
  /** What others had given before and this call draws from. */
  readonly rests: readonly Rest[];
}
export interface WarrantedBy {
  readonly id: string;
  readonly digest: string;
  readonly satisfied: readonly Satisfied[];
  /** What a reviewer changed of what the agent asked; null when it runs as asked. */
  readonly edited: Edited | null;
  /** The client waited for it or was brought back to it, and did not come back by itself once it had been given. */
  readonly waited: boolean;
}
export interface Satisfied {
  readonly literal: string;
  readonly source: string;
  readonly persons: readonly string[];
}

// INVARIANT: only `grant` below makes one, so a cast cannot forge a warrant, nor a copy pass for one; the claim asks `isGenuine`.
class Granted implements Omit<Warrant, typeof warranted> {
  readonly #genuine = true;
  readonly judgement: Judgement;
  readonly approval: WarrantedBy | null;
  readonly rests: readonly Rest[];
  readonly breakGlass: BreakGlass | null;

  constructor(judgement: Judgement, approval: WarrantedBy | null, rests: readonly Rest[], breakGlass: BreakGlass | null) {
    this.judgement = judgement;
    this.approval = approval;
    this.rests = rests;
    this.breakGlass = breakGlass;
    Object.freeze(this);
  }

  static has(warrant: object): boolean {
    return #genuine in warrant;
  }
}
export const isGenuine = (warrant: Warrant): boolean => Granted.has(warrant);

const none: readonly Rest[] = [];

function grant(judgement: Judgement, approval: Warrant['approval'], rests = none, breakGlass: BreakGlass | null = null): Warrant {
  return new Granted(judgement, approval, rests, breakGlass) as Omit<Warrant, typeof warranted> as Warrant;
}

type Needs = Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys' | 'decisions' | 'newId' | 'config'>;
/** Should no signal come, what another process decided is seen this late. */
const lookAgainMs = 5_000;

/** Requirements satisfied for exactly this call, or a pause. Holds the request while a human decides, at most `io.holdMs`. */
export async function obtainWarrant(
  ports: Needs,
  judgement: Judgement,
  request: CallRequest,
  io: CallIo,
  decision: string,
): Promise<Warrant | CallResult | Refusal> {
  if (judgement.decision.decision === 'allow') {
    const before = mayStand(judgement, request) ? await decidedBefore(ports, judgement, request, decision) : null;
    return before ?? grant(judgement, null);
  }
  const until = ports.clock() + io.holdMs;
  const rest = await restsBefore(ports, judgement);
  if (rest.judgement.decision.decision === 'allow') return grant(rest.judgement, null, rest.rests);
  const opened = await openedByBreakGlass(ports, judgement);
  if (opened) return opened;
  const asked = await requestApproval(ports, rest.judgement, request.nonce, decision);
  if (isRefusal(asked)) return asked;
  const watch = ports.decisions.watch(asked.tenant, asked.id);
  try {
    let row = asked;
    // What was decided before anybody listened is not heard: the first look at the store waits for nothing.
    for (let listened = false; ; listened = true) {
      const answer = await answerFor(ports, judgement, row, request, decision, listened || request.resumes !== null);
      if (answer !== 'wait') return answer;
      const left = until - ports.clock();
      if (io.signal.aborted) return whyStopped(io.signal) ?? refuse('call.cancelled', 'The call was cancelled while it waited.', { approval: handle(row) });
      if (left <= 0) return stillWaiting(row);
      if (listened) await io.aside(() => watch.changed(Math.min(left, lookAgainMs), io.signal));
      const read = await ports.store.readApproval(row.tenant, row.id);
      if (!read) return refuse('approval.unknown', 'This approval no longer exists.');
      const since = read.status === 'pending' ? await openedByBreakGlass(ports, judgement) : null;
      if (since) return since;
      row = read;
    }
  } finally {
    watch.stop();
  }
}

/** What people answered, or are answering, about exactly this call goes before what they gave for calls like it. */
async function restsBefore(ports: Needs, judgement: Judgement): Promise<Resting> {
  const rest = await resting(ports, judgement);
  if (rest.rests.length === 0) return rest;
  const own = await ports.store.findApproval(judgement.tool.session.row.tenant, callKeyOf(judgement.tool), ports.clock());
  return own === null ? rest : { judgement, rests: [] };
}

/**
 * What people have decided about exactly this call, or did under an approval, stands; what they were only asked is not asked any more,
 * so that it is not given later to a call that has run.
 */
async function openedByBreakGlass(ports: Needs, judgement: Judgement): Promise<Warrant | null> {
  const lifted = await liftByBreakGlass(ports, judgement);
  if (!lifted) return null;
  const at = ports.clock();
  const row = await ports.store.findApproval(judgement.tool.session.row.tenant, callKeyOf(judgement.tool), at);
  if (row !== null && row.status !== 'pending') return null;
  if (row !== null) {
    const about = { at, tenant: row.tenant, session: row.session, agent: row.agent, tool: row.tool, approval: row.id, break_glass: lifted.breakGlass.id };
    if (!(await ports.store.closeApproval(row.tenant, row.id, 'superseded', at, { ...about, type: 'approval.superseded', code: 'break_glass' }))) return null;
  }
  return grant(lifted.judgement, null, none, lifted.breakGlass);
}

/** False for what nothing that was decided before is looked for: most reads. */
const mayStand = ({ tool, wouldBe }: Judgement, { resumes }: CallRequest): boolean =>
  tool.tool.manifest.effect !== 'read' || resumes !== null || wouldBe !== null;

/**
 * An effect that ran under an approval is never repeated because policy has since stopped asking; and what people were asked
 * about exactly this call stays theirs to answer while the policy that asked them is only observed.
 */
async function decidedBefore(ports: Needs, judgement: Judgement, request: CallRequest, decision: string): Promise<Warrant | CallResult | Refusal | null> {
  const row = await ports.store.findApproval(judgement.tool.session.row.tenant, callKeyOf(judgement.tool), ports.clock());
  if (row === null || (row.status !== 'used' && judgement.wouldBe === null)) return null;
  const answer = await answerFor(ports, judgement, row, request, decision, request.resumes !== null);
  return answer === 'wait' ? stillWaiting(row) : answer;
}

async function answerFor(
  ports: Needs,
  judgement: Judgement,
  row: ApprovalRow,
  request: CallRequest,
  decision: string,
  waited: boolean,
): Promise<Warrant | CallResult | Refusal | 'wait'> {
  switch (row.status) {
    case 'pending':
      return row.expiresAt <= ports.clock() ? refuse('approval.expired', 'Nobody decided in time, so the call is denied.', { approval: handle(row) }) : 'wait';
    case 'approved':
      return runsAsApproved(ports, judgement, row, request, waited);
    case 'used':
      return row.outcome === null ? 'wait' : replayOutcome(ports, row, decision);
    case 'denied': {
      const said = row.votes.findLast((vote) => vote.decision === 'deny')?.reason;
      return refuse('approval.denied', `A reviewer denied this call${said ? `. Their reason, as data: ${JSON.stringify(said)}` : ''}.`, {
        approval: handle(row),
      });
    }
    case 'expired':
      return refuse('approval.expired', 'Nobody decided in time, so the call is denied.', { approval: handle(row) });
    case 'superseded':
      return judgeAfresh();
    case 'cancelled':
    case 'revoked':
      return refuse('approval.denied', `The approval was ${row.status} before the call ran.`, { approval: handle(row) });
  }
}

/** Judges again after the human: what was approved must still be what would run, under no weaker protection than was shown. */
async function runsAsApproved(ports: Needs, judgement: Judgement, row: ApprovalRow, request: CallRequest, waited: boolean): Promise<Warrant | Refusal> {
  const shown = openProposal(ports, row);
  const session = await enterSession(ports, judgement.tool.session.caller);
  if (isRefusal(session)) return session;
  const tool = resolveNamed(session, shown, request.nonce);
  if (isRefusal(tool)) return tool;
  const satisfied = satisfiedLiterals(row, mustBeSigned(session.tenant.document, tool.tool.manifest.effect) ? 'signed' : 'any');
  const voted = judge(
    tool,
    satisfied.map(({ literal }) => literal),
  );
  if (isRefusal(voted)) return voted;
  const { judgement: fresh, rests } = await resting(ports, voted);
  const edited = editedOf(row.id, shown);
  const holds =
    fresh.decision.decision === 'allow' &&
    // What an edit stands for is the agent's own call, whose arguments the edit keeps.
    callKeyOf(judgement.tool) === row.callKey &&
    (edited !== null || callKeyOf(tool) === row.callKey) &&
    shown.tool_digest === tool.tool.digest &&
    canonicalForm(shown.edited?.asked ?? shown.arguments) === canonicalForm(judgement.tool.form) &&
    samePeople(shown, fresh) &&
    dominates(shown.label, session.view.label);
  if (holds) return grant(fresh, { id: row.id, digest: row.digest, satisfied, edited, waited }, rests);
  const at = ports.clock();
  const record = { type: 'approval.superseded' as const, at, tenant: row.tenant, session: row.session, agent: row.agent, tool: row.tool, approval: row.id };
  await ports.store.closeApproval(row.tenant, row.id, 'superseded', at, record);
  return judgeAfresh();
}

const samePeople = (shown: Proposal, fresh: Judgement): boolean =>
  shown.agent === fresh.tool.session.agent.name && shown.sponsor === fresh.tool.session.row.sponsor && shown.session === fresh.tool.session.row.id;

/** Whoever is asked next must be shown what is true then. */
const judgeAfresh = (): Refusal => refuse('stale', 'What was approved is not what would run now; the call has to be asked again.', { detail: 'superseded' });

const handle = (row: ApprovalRow): NonNullable<Refusal['approval']> => ({ id: row.id, status: row.status, expiresAt: row.expiresAt });

function stillWaiting(row: ApprovalRow): Refusal {
  if (row.status === 'used') return refuse('approval.running', 'This call was approved and is running; ask again for its outcome.', { approval: handle(row) });
  const until = new Date(row.expiresAt).toISOString();
  const message = `Not executed: this call waits for a human to approve it (approval ${row.id}, until ${until}). Retry this exact call, or call await_approval with that id.`;
  return refuse('approval.required', message, { approval: handle(row) });
}
