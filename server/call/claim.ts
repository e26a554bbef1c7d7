import { hmacOf, type RecordBody } from '../audit/index.ts';
import { dayOf } from '../documents/durations.ts';
import type { Ports } from '../ports.ts';
import { budgetOf, least } from '../sessions/index.ts';
import type { Draw, Rung } from '../store/store.ts';
import type { Credential } from './issue-credential.ts';
import { isGenuine, type Satisfied, type Warrant } from './obtain-warrant.ts';
import { observationOver, observedOf, wouldOf } from './record-observed.ts';
import { type Refusal, refuse } from './refusals.ts';
import { grantOf, type ResolvedTool } from './resolve-tool.ts';
import type { Rest } from './rest-on-standing.ts';

declare const claimedBrand: unique symbol;

/** Evidence that, in one transaction, everything judged was still true, the approval taken, the counters drawn, the dispatch recorded. */
export interface Claimed {
  readonly [claimedBrand]: true;
  readonly credential: Credential;
  readonly dispatch: string;
  readonly fence: number;
  readonly decision: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** After this it counts as unknown. */
  readonly leaseUntil: number;
  /** Resolves when the dispatch record is durable; rejects when it never will be. */
  readonly durable: Promise<void>;
}

/** Begins with its time, so that a store finds the latest side by side. */
const newDispatchId = (ports: Pick<Ports, 'newId'>, at: number): string => ports.newId(`dsp_${at.toString(36).padStart(9, '0')}`);

/** A dispatch nobody settled this long after its deadline counts as unknown. */
const leaseMarginMs = 30_000;

export async function claim(
  ports: Pick<Ports, 'store' | 'clock' | 'keys' | 'newId'>,
  credential: Credential,
  decision: string,
  deadlineMs: number,
  rung: Rung,
): Promise<Claimed | Refusal> {
  const { warrant } = credential;
  if (!isGenuine(warrant)) throw new Error('a warrant that obtain-warrant did not make');
  const { judgement, approval, breakGlass, rests } = warrant;
  const { session, tool, form } = judgement.tool;
  const { row, view, tenant } = session;
  const at = ports.clock();
  if (observationOver(judgement, at)) return refuse('stale', 'What this call was judged on has just changed; try again.', { detail: 'observation' });
  const own = drawsOf(judgement.tool, at);
  const draws = rests.length === 0 && !breakGlass ? own : [...own, ...rests.flatMap((rest) => rest.draws), ...glassDraws(breakGlass, judgement.tool.amount)];
  const dispatch = newDispatchId(ports, at);
  const leaseUntil = at + deadlineMs + leaseMarginMs;
  const { answer, durable } = await ports.store.claim({
    tenant: row.tenant,
    session: row.id,
    tool: tool.name,
    revision: tenant.revision,
    labelVersion: view.labelVersion,
    draws,
    approval: approval && { id: approval.id, digest: approval.digest },
    breakGlass: breakGlass?.id ?? null,
    ...(rests.length === 0 ? {} : { standing: rests.map(({ id, digest }) => ({ id, digest })) }),
    dispatch,
    leaseUntil,
    ...(approval ? { rung: approval.waited ? rung : 'handle' } : {}),
    at,
    record: {
      type: 'call.dispatched',
      at,
      tenant: row.tenant,
      session: row.id,
      agent: row.agent,
      sponsor: row.sponsor,
      use_case: row.useCase,
      tool: tool.name,
      tool_digest: tool.digest,
      effect: tool.manifest.effect,
      decision: 'allow',
      decision_id: decision,
      policies: judgement.decision.policies.map(({ id }) => id),
      revision: tenant.revision,
      dispatch,
      arguments_hmac: hmacOf(ports.keys.hmac, form),
      label: view.label,
      ...observedOf(session),
      ...wouldOf(judgement),
      ...(approval ? { approval: approval.id, proposal_sha256: approval.digest, rung: approval.waited ? rung : 'handle', satisfied: approval.satisfied } : {}),
      ...(breakGlass ? { break_glass: breakGlass.id, satisfied: breakGlass.satisfied } : {}),
      ...(rests.length === 0 ? {} : restedOn(approval?.satisfied ?? [], rests)),
    },
  });
  if (answer.claimed) return { credential, dispatch, fence: answer.fence, decision, at, leaseUntil, durable } as Omit<Claimed, typeof claimedBrand> as Claimed;
  switch (answer.why) {
    case 'session':
      return refuse('session.ended', 'This task has ended.');
    case 'budget':
      if (answer.draw.scope.startsWith('standing')) return judgeAgain(durable, 'standing');
      // What break-glass has left is no budget of the task: without it, people are asked.
      if (answer.draw.scope === glassScope(breakGlass)) return judgeAgain(durable, 'break_glass');
      return refuse('budget.exhausted', `This task has used up its ${nameOf(answer.draw)}.`, { detail: `${answer.draw.scope} ${answer.draw.key}` });
    case 'revision':
    case 'labels':
    case 'approval':
    case 'break_glass':
    case 'standing':
      return judgeAgain(durable, answer.why);
  }
}

/** Whoever judges again must read what this answer was about: a read sees only what is committed. */
async function judgeAgain(durable: Promise<void>, detail: string): Promise<Refusal> {
  await durable;
  return refuse('stale', 'What this call was judged on has just changed; try again.', { detail });
}

const restedOn = (votes: readonly Satisfied[], rests: readonly Rest[]): Pick<RecordBody, 'satisfied' | 'standing'> => ({
  satisfied: [...votes, ...rests.flatMap(({ literals, source, persons }) => literals.map((literal) => ({ literal, source, persons })))],
  standing: rests.map(({ id }) => id),
});

const glassScope = (breakGlass: Warrant['breakGlass']): string => `break-glass/${breakGlass?.id ?? ''}`;

function glassDraws(breakGlass: Warrant['breakGlass'], amount: number): Draw[] {
  if (!breakGlass) return [];
  const scope = glassScope(breakGlass);
  const calls = { scope, key: 'calls', amount: 1, limit: breakGlass.calls };
  return amount > 0 ? [calls, { scope, key: 'amount', amount, limit: breakGlass.amount }] : [calls];
}

/** Counters of the session, all its ancestors and the use case's day, each under the least of what was granted and what still is. */
function drawsOf(call: ResolvedTool, at: number): Draw[] {
  const { session, tool, amount } = call;
  const { row, view, useCase } = session;
  const now = budgetOf(useCase);
  const [own, current] = call.grants;
  const draws: Draw[] = [];
  const add = (scope: string, key: string, drawn: number, granted: number | null, still: number | null): void => {
    const limit = least(granted, still);
    if (drawn > 0 && limit !== null) draws.push({ scope, key, amount: drawn, limit });
  };
  for (const one of [row, ...view.ancestors]) {
    const scope = `session/${one.id}`;
    add(scope, 'calls', 1, one.budget.calls, now.calls);
    add(scope, 'amount', amount, one.budget.amount, now.amount);
    add(scope, `tool:${tool.name}`, 1, (one === row ? own : grantOf(one.grants, tool.name))?.maxCalls ?? null, current.maxCalls);
  }
  const scope = `use-case/${row.useCase}/${dayOf(at)}`;
  add(scope, 'calls', 1, row.budget.perDay.calls, now.perDay.calls);
  add(scope, 'amount', amount, row.budget.perDay.amount, now.perDay.amount);
  return draws;
}

function nameOf({ scope, key }: Draw): string {
  const what = key === 'calls' ? 'calls' : key === 'amount' ? 'amount' : `calls of ${key.slice('tool:'.length)}`;
  return scope.startsWith('use-case/') ? `${what} for today, across tasks` : what;
}
