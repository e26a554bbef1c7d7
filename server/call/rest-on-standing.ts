import { covers, dominates, parseRequirement, type Requirement, satisfiedBy } from '../../policies/index.ts';
import { tenThousandths } from '../../tools/index.ts';
import { excludedFrom, mustBeSigned, openStanding, type StandingContent, sameHuman, stillGiving } from '../approvals/index.ts';
import { dayOf } from '../documents/durations.ts';
import type { Ports } from '../ports.ts';
import type { StandingRow } from '../store/standing-approvals.ts';
import type { Draw } from '../store/store.ts';
import { checkConstraint } from './check-constraint.ts';
import { type Judgement, judge } from './judge.ts';
import { isRefusal } from './refusals.ts';
import type { ResolvedTool } from './resolve-tool.ts';

/** A standing approval or remembered answer that covers this call, with what the claim draws from it. */
export interface Rest {
  readonly id: string;
  readonly digest: string;
  readonly source: 'standing' | 'remembered';
  readonly literals: readonly string[];
  readonly persons: readonly string[];
  readonly draws: readonly Draw[];
}

type Stored = Awaited<ReturnType<Ports['store']['standingFor']>>[number];

/** What was given before and covers, for exactly this call, requirements that nobody has to be asked about again. */
async function restsFor(ports: Pick<Ports, 'store' | 'clock' | 'keys'>, { tool: call, decision }: Judgement): Promise<Rest[]> {
  if (decision.decision !== 'require') return [];
  const at = ports.clock();
  const { row } = call.session;
  const stored = await ports.store.standingFor(row.tenant, call.tool.name, row.id, at);
  // Where each vote is to be signed for exactly its call, none stands for others.
  if (stored.length === 0 || mustBeSigned(call.session.tenant.document, call.tool.manifest.effect)) return [];
  return decision.requirements.flatMap((asked): Rest[] => {
    for (const one of stored) {
      const rest = restOn(ports, call, asked, decision.exactOnly, one, at);
      if (rest) return [rest];
    }
    return [];
  });
}

export interface Resting {
  readonly judgement: Judgement;
  readonly rests: readonly Rest[];
}

/** A judgement that asks, and what lifts some or all of it. */
export async function resting(ports: Pick<Ports, 'store' | 'clock' | 'keys'>, judgement: Judgement): Promise<Resting> {
  const rests = await restsFor(ports, judgement);
  if (rests.length === 0) return { judgement, rests };
  const lifted = judge(judgement.tool, [...new Set([...judgement.satisfied, ...rests.flatMap(({ literals }) => literals)])]);
  return isRefusal(lifted) ? { judgement, rests: [] } : { judgement: lifted, rests };
}

function restOn(
  ports: Pick<Ports, 'keys' | 'clock'>,
  call: ResolvedTool,
  asked: Requirement,
  exactOnly: readonly string[],
  { row, used }: Stored,
  at: number,
): Rest | null {
  const given = parseRequirement(row.requirement);
  if (asked.kind !== 'approval' || given?.kind !== 'approval' || !covers(given, asked) || given.passkey) return null;
  const literals = satisfiedBy(given.group, given.count).filter((literal) => !exactOnly.includes(literal));
  const persons = givers(call, row);
  if (!literals.includes(asked.literal) || persons.length < given.count) return null;
  const content = openStanding(ports, row);
  if (!isAbout(call, row, content)) return null;
  const draws = drawsOf(call, row.id, content, at);
  const isLeft = draws.every(({ scope, key, amount, limit }) => (used[`${scope} ${key}`] ?? 0) + amount <= limit);
  return isLeft ? { id: row.id, digest: row.digest, source: row.kind, literals, persons, draws } : null;
}

/** Nobody in the chain gives it, and whoever has left the group no longer does. */
function givers({ session }: ResolvedTool, row: StandingRow): string[] {
  const chain = excludedFrom(session.tenant, session.row, session.view.ancestors);
  return stillGiving(session.tenant, row).filter((person) => !chain.some((one) => sameHuman(one, person)));
}

function isAbout(call: ResolvedTool, row: StandingRow, content: StandingContent): boolean {
  const { session, tool } = call;
  if (content.use_case !== session.row.useCase || (content.agent !== null && content.agent !== session.row.agent)) return false;
  if (content.tool_digest !== tool.digest || !dominates(content.max_label, session.view.label)) return false;
  if (row.kind === 'remembered') {
    if (row.session !== session.row.id || tool.manifest.effect === 'destructive' || session.view.label.integrity === 'external') return false;
  } else if (row.session !== null) return false;
  const constraints = Object.entries(content.arguments);
  // An argument nothing is said of is not covered.
  if (Object.keys(call.arguments).some((name) => !Object.hasOwn(content.arguments, name))) return false;
  return constraints.every(([name, constraint]) => checkConstraint(constraint, call.arguments[name], session.row.inputs) === null);
}

/** Caps of the content as counters: drawn with the claim, never given back. */
function drawsOf(call: ResolvedTool, id: string, { max_calls, max_amount, per_day }: StandingContent, at: number): Draw[] {
  const day = `standing-day/${id}/${dayOf(at)}`;
  const draw = (scope: string, key: string, amount: number, limit: number | null): Draw[] => (limit === null ? [] : [{ scope, key, amount, limit }]);
  const sum = (value: number | null): number | null => (value === null ? null : (tenThousandths(value) ?? 0));
  return [
    ...draw(`standing/${id}`, 'calls', 1, max_calls),
    ...draw(`standing/${id}`, 'amount', call.amount, sum(max_amount)),
    ...draw(day, 'calls', 1, per_day.calls),
    ...draw(day, 'amount', call.amount, sum(per_day.amount)),
  ];
}
