import { verifyChain } from '../../server/audit/index.ts';
import { checkChanges } from './check-changes.ts';
import { checkCounters } from './check-counters.ts';
import { checkGlass } from './check-glass.ts';
import { checkStanding } from './check-standing.ts';
import { checkWarranted } from './check-warranted.ts';
import { type Evidence, groupBy, recordsOf, told } from './evidence.ts';
import { generationsIn } from './world.ts';

/** What must hold of a run, whatever was killed when. Each says, in sentences, where it does not. */
export interface Invariant {
  readonly name: string;
  readonly promises: string;
  check(evidence: Evidence): string[] | Promise<string[]>;
}

export const invariants: readonly Invariant[] = [
  { name: 'approvals', promises: 'no approval and no vote that anybody was told of is lost', check: checkApprovals },
  { name: 'once', promises: 'no effect happens twice: not per dispatch, not per approval, not per call', check: checkOnce },
  { name: 'dispatched', promises: 'no effect without its dispatch record', check: checkDispatched },
  { name: 'released', promises: 'no answer without its record, no result without its outcome and its label', check: checkReleased },
  { name: 'unknown', promises: 'what was dispatched and not settled is unknown, said once, and nothing else is', check: checkUnknown },
  { name: 'counters', promises: 'counters are exactly what was dispatched, and never over a cap', check: checkCounters },
  { name: 'ended', promises: 'a session that was ended stays ended', check: checkEnded },
  { name: 'warranted', promises: 'no payment without two people on the record, by one of the three ways they give it', check: checkWarranted },
  { name: 'changes', promises: 'a change that widens is in force whole, once, and by two admins, or not at all; none that waits is lost', check: checkChanges },
  {
    name: 'break-glass',
    promises: "break-glass is two people's, told to others, never drawn beyond its calls and amount, never after its end",
    check: checkGlass,
  },
  { name: 'standing', promises: "a standing approval is its group's, never drawn beyond its caps, never after it was taken back", check: checkStanding },
  { name: 'configuration', promises: 'the configuration is wholly one revision', check: checkConfiguration },
  { name: 'anchor', promises: 'a kill is never taken for an older copy of the store', check: checkAnchor },
  { name: 'chains', promises: "every tenant's chain is whole, to its head", check: checkChains },
];

export interface Violation {
  readonly invariant: string;
  readonly evidence: string;
}

export async function checkAll(evidence: Evidence): Promise<Violation[]> {
  const found = await Promise.all(invariants.map(async ({ name, check }) => (await check(evidence)).map((one) => ({ invariant: name, evidence: one }))));
  return found.flat();
}

function checkApprovals(evidence: Evidence): string[] {
  const wrong: string[] = [];
  const rows = new Map(evidence.approvals.map((row) => [row.id, row]));
  const asked = groupBy(recordsOf(evidence, 'approval.requested'), ({ body }) => body.approval);
  const closing = groupBy(
    recordsOf(evidence, 'approval.approved', 'approval.denied', 'approval.cancelled', 'approval.expired', 'approval.superseded', 'approval.revoked'),
    ({ body }) => `${body.approval} ${body.type}`,
  );
  const votes = new Set(evidence.votes.map(({ approval, person, decision }) => `${approval} ${person} ${decision}`));
  const voted = groupBy(recordsOf(evidence, 'approval.voted'), ({ body }) => `${body.approval} ${body.actor} ${body.vote}`);

  for (const { approval, digest } of told(evidence, 'shown')) {
    if (rows.get(approval)?.digest !== digest) wrong.push(`${approval} was shown to a reviewer and is not there as it was shown`);
  }
  for (const { approval, code } of told(evidence, 'refused')) {
    if (code.startsWith('approval.') && approval !== null && !rows.has(approval)) wrong.push(`${approval} was named to a client and is not there`);
  }
  for (const { approval, person, decision, status } of told(evidence, 'voted')) {
    const vote = `${approval} ${person} ${decision}`;
    if (!votes.has(vote)) wrong.push(`the vote ${vote} was confirmed and is not there`);
    if (status === 'approved' && !closing.has(`${approval} approval.approved`)) wrong.push(`${approval} was told to be approved and no record says so`);
  }
  for (const { approval } of told(evidence, 'revoked')) {
    if (rows.get(approval)?.status !== 'revoked') wrong.push(`${approval} was taken back and is ${rows.get(approval)?.status}`);
  }
  for (const vote of new Set([...votes, ...voted.keys()])) {
    if (!votes.has(vote) || voted.get(vote)?.length !== 1)
      wrong.push(`the vote ${vote} has ${voted.get(vote)?.length ?? 0} records and ${votes.has(vote) ? 'a' : 'no'} row`);
  }
  for (const approval of asked.keys()) if (!rows.has(approval)) wrong.push(`${approval} was asked for on the record and is not there`);
  const settled = told(evidence, 'settled').length > 0;
  const spent = recordsOf(evidence, 'call.refused').filter(({ body }) => body.code === 'budget.exhausted');
  /** Approved, and then more than the task had left: that is said, and the approval stays unused. */
  const wasTooMuch = (approval: string): boolean => {
    const given = closing.get(`${approval} approval.approved`)?.[0];
    return given !== undefined && spent.some(({ index, body }) => index > given.index && body.session === given.body.session && body.tool === given.body.tool);
  };
  const live = new Set(evidence.sessions.filter(({ status }) => status === 'active').map(({ id }) => id));
  for (const { id, status, session } of rows.values()) {
    if (asked.get(id)?.length !== 1) wrong.push(`${id} is there with ${asked.get(id)?.length ?? 0} records of being asked for`);
    const says = status === 'used' ? 'approved' : status;
    if (status !== 'pending' && closing.get(`${id} approval.${says}`)?.length !== 1) wrong.push(`${id} is ${status} without one record that says so`);
    if (status === 'used' && [...votes].filter((vote) => vote.startsWith(`${id} `) && vote.endsWith(' approve')).length < 2)
      wrong.push(`${id} was used without two votes`);
    if (settled && status === 'approved' && live.has(session) && !wasTooMuch(id)) wrong.push(`${id} was approved, its call was tried again, and it never ran`);
  }
  return wrong;
}

function checkOnce(evidence: Evidence): string[] {
  const many = <T>(what: string, groups: ReadonlyMap<string, readonly T[]>): string[] =>
    [...groups].filter(([, all]) => all.length > 1).map(([name, all]) => `${what} ${name}: ${all.length} ${JSON.stringify(all)}`);
  return [
    ...many(
      'effects of dispatch',
      groupBy(evidence.effects, ({ dispatch }) => dispatch),
    ),
    ...many(
      'effects of call',
      groupBy(evidence.effects, ({ call }) => call),
    ),
    ...many(
      'dispatches under approval',
      groupBy(recordsOf(evidence, 'call.dispatched'), ({ body }) => body.approval),
    ),
    ...many(
      'records of dispatch',
      groupBy(recordsOf(evidence, 'call.dispatched'), ({ body }) => body.dispatch),
    ),
  ];
}

function checkDispatched(evidence: Evidence): string[] {
  const records = new Set(recordsOf(evidence, 'call.dispatched').map(({ body }) => `${body.dispatch} ${body.tool}`));
  const rows = new Set(evidence.dispatches.map(({ id, tool }) => `${id} ${tool}`));
  const wrong: string[] = [];
  for (const effect of evidence.effects) {
    // A read that stays in the tenant may start while its claim is being flushed; nothing else may.
    if (effect.tool === 'look') continue;
    const key = `${effect.dispatch} books__${effect.tool}`;
    if (!records.has(key) || !rows.has(key))
      wrong.push(`an effect without its ${records.has(key) ? 'dispatch' : 'dispatch record'}: ${JSON.stringify(effect)}`);
  }
  for (const key of new Set([...records, ...rows])) if (!records.has(key) || !rows.has(key)) wrong.push(`${key} is half a dispatch`);
  return wrong;
}

const levels = ['public', 'internal', 'confidential', 'restricted'];

function checkReleased(evidence: Evidence): string[] {
  const wrong: string[] = [];
  const log = evidence.logs.get('acme') ?? [];
  const labels = new Map(evidence.sessions.map(({ id, sensitivity }) => [id, levels.indexOf(sensitivity)]));
  const completed = new Map(recordsOf(evidence, 'call.completed').map(({ body, index }) => [body.dispatch, { body, index }]));
  for (const entry of told(evidence, 'result')) {
    const body = log[entry.record]?.body;
    const type = entry.replayed ? 'call.replayed' : 'call.completed';
    if (body?.type !== type || body.decision_id !== entry.decision || body.dispatch !== entry.dispatch) {
      wrong.push(`a result was released, and record ${entry.record} is ${body?.type ?? 'not there'}: ${JSON.stringify(entry)}`);
      continue;
    }
    const outcome = completed.get(entry.dispatch);
    if (!outcome || outcome.index > entry.record) wrong.push(`a result was released before its outcome stood: ${JSON.stringify(entry)}`);
    else if ((labels.get(entry.session) ?? -1) < levels.indexOf(outcome.body.label?.sensitivity ?? 'public'))
      wrong.push(`a result was released and its label did not rise: ${JSON.stringify(entry)}`);
  }
  for (const entry of told(evidence, 'refused')) {
    const body = entry.record === null ? undefined : log[entry.record]?.body;
    if (entry.record !== null && (body?.decision_id !== entry.decision || body.code !== entry.code))
      wrong.push(`a refusal was told, and record ${entry.record} does not say so: ${JSON.stringify(entry)}`);
  }
  return wrong;
}

function checkUnknown(evidence: Evidence): string[] {
  const wrong: string[] = [];
  const endings = groupBy(
    recordsOf(evidence, 'call.completed', 'call.failed', 'call.unknown').filter(({ body }) => body.code !== 'fenced'),
    ({ body }) => body.dispatch,
  );
  const reached = new Set(evidence.effects.map(({ dispatch }) => dispatch));
  const approvals = new Map(evidence.approvals.map((row) => [row.dispatch, row]));
  const isSettled = told(evidence, 'settled').length > 0;
  for (const { id, status, approval } of evidence.dispatches) {
    const said = endings.get(id)?.map(({ body }) => body.type.slice('call.'.length)) ?? [];
    if (status === 'dispatched' ? isSettled || said.length > 0 : said.length !== 1 || said[0] !== status)
      wrong.push(`${id} is ${status}, and its records say: ${said.join(', ') || 'nothing'}`);
    if (status === 'completed' && !reached.has(id)) wrong.push(`${id} is completed and never reached the upstream`);
    const row = approvals.get(id);
    if (approval !== null && row?.id !== approval) wrong.push(`${id} ran under ${approval}, which does not name it`);
    if (row && row.outcome !== (status === 'dispatched' ? null : status)) wrong.push(`${row.id} says ${row.outcome} of ${id}, which is ${status}`);
  }
  for (const { id, status, dispatch } of evidence.approvals) {
    if ((status === 'used') !== (dispatch !== null)) wrong.push(`${id} is ${status} with dispatch ${dispatch}`);
  }
  for (const dispatch of endings.keys()) if (!evidence.dispatches.some(({ id }) => id === dispatch)) wrong.push(`${dispatch} ended and was never dispatched`);
  return wrong;
}

function checkEnded(evidence: Evidence): string[] {
  const wrong: string[] = [];
  const rows = new Map(evidence.sessions.map((row) => [row.id, row]));
  const opened = groupBy(recordsOf(evidence, 'session.opened'), ({ body }) => body.session);
  const ends = new Map(recordsOf(evidence, 'session.ended', 'session.revoked').map(({ body, index }) => [body.session, index]));
  for (const { session } of told(evidence, 'opened')) if (!rows.has(session)) wrong.push(`${session} was opened and is not there`);
  for (const { session } of told(evidence, 'ended')) {
    if (!['ended', 'revoked'].includes(rows.get(session)?.status ?? '')) wrong.push(`${session} was ended and is ${rows.get(session)?.status ?? 'not there'}`);
  }
  for (const { id, status } of rows.values()) {
    if (opened.get(id)?.length !== 1) wrong.push(`${id} is there with ${opened.get(id)?.length ?? 0} records of its opening`);
    if ((status === 'ended' || status === 'revoked') !== ends.has(id))
      wrong.push(`${id} is ${status} and the record says ${ends.has(id) ? 'it ended' : 'it did not'}`);
  }
  for (const session of opened.keys()) if (!rows.has(session ?? '')) wrong.push(`${session} was opened on the record and is not there`);
  for (const { body, index } of recordsOf(evidence, 'call.dispatched', 'call.replayed', 'session.renewed')) {
    const end = ends.get(body.session);
    if (end !== undefined && index > end) wrong.push(`${body.type} at ${index} in ${body.session}, which ended at ${end}`);
  }
  for (const { session, record, call } of told(evidence, 'result')) {
    const end = ends.get(session);
    if (end !== undefined && record > end) wrong.push(`a result of ${call} at ${record} was released in ${session}, which ended at ${end}`);
  }
  return wrong;
}

function checkConfiguration(evidence: Evidence): string[] {
  const wrong: string[] = [];
  const stored = new Map<string, number[]>([['(platform)', generationsIn(evidence.platform)]]);
  for (const { tenant, revision, configuration } of evidence.tenants) {
    stored.set(tenant, generationsIn(configuration));
    const applied = (evidence.logs.get(tenant) ?? []).filter(({ body }) => body.type === 'configuration.applied').length;
    if (applied !== revision) wrong.push(`${tenant} is at revision ${revision} after ${applied} recorded applies`);
  }
  for (const [of, generations] of stored) if (generations.length !== 1) wrong.push(`${of} is made of generations ${generations.join(' and ') || 'none'}`);
  const [platform, globex, acme] = ['(platform)', 'globex', 'acme'].map((of) => stored.get(of)?.[0] ?? -1);
  if (platform !== globex) wrong.push(`the operator's document is generation ${platform} and globex, applied with it, ${globex}`);

  // What was answered for is superseded only by an apply that began later.
  const place = (what: string, generation: number): number =>
    evidence.journal.findIndex((entry) => entry.what === what && 'generation' in entry && entry.generation === generation);
  const over = Math.max(place('applied', acme ?? -1), place('apply lost', acme ?? -1));
  const later = told(evidence, 'applied').filter(({ generation }) => generation !== acme && over !== -1 && place('applying', generation) > over);
  if (later.length > 0) wrong.push(`acme is generation ${acme}, though ${later.map(({ generation }) => generation).join(', ')} was applied after it`);
  return wrong;
}

function checkAnchor({ logs }: Evidence): string[] {
  return [...logs].flatMap(([tenant, log]) =>
    log.filter(({ body }) => body.type.startsWith('store.')).map(({ index, body }) => `${tenant || '(platform)'} at ${index}: ${body.type}`),
  );
}

async function checkChains(evidence: Evidence): Promise<string[]> {
  const wrong: string[] = [];
  for (const { tenant, next, hash } of evidence.heads) {
    const verified = await verifyChain(evidence.logs.get(tenant) ?? []);
    const log = tenant || '(platform)';
    if (!verified.ok) wrong.push(`${log} is broken at record ${verified.index}: ${verified.why}`);
    else if (verified.count !== next || verified.head !== hash) wrong.push(`${log} has ${verified.count} records, its head says ${next}`);
  }
  for (const tenant of evidence.logs.keys()) if (!evidence.heads.some((head) => head.tenant === tenant)) wrong.push(`${tenant} has records and no head`);
  return wrong;
}
