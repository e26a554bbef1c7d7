import type { StoredRecord } from '../../server/audit/index.ts';
import { counted } from './check-counters.ts';
import { type Evidence, type GlassLine, groupBy, recordsOf, told } from './evidence.ts';
import { payment } from './world.ts';

const types = ['break_glass.requested', 'break_glass.activated', 'break_glass.lapsed', 'break_glass.ended', 'break_glass.reviewed'] as const;

/** Break-glass: what was told of it, what is on the record of it, and what was drawn from it. */
export function checkGlass(evidence: Evidence): string[] {
  const rows = new Map(evidence.glasses.map((row) => [row.id, row]));
  const history = groupBy(recordsOf(evidence, ...types), ({ body }) => body.break_glass);
  const draws = groupBy(recordsOf(evidence, 'call.dispatched'), ({ body }) => body.break_glass);
  const nameless = [...new Set([...history.keys(), ...draws.keys()])].filter((id) => !rows.has(id));
  return [
    ...checkTold(evidence, rows),
    ...nameless.map((id) => `${id} is on the record and is not there`),
    ...evidence.glasses.flatMap((row) => [
      ...checkHistory(row, history.get(row.id) ?? []),
      ...checkDraws(row, draws.get(row.id) ?? [], history.get(row.id) ?? []),
      ...checkNotices(evidence, row),
    ]),
  ];
}

function checkTold(evidence: Evidence, rows: ReadonlyMap<string, GlassLine>): string[] {
  const wrong: string[] = [];
  const must = (glass: string, what: string, holds: (row: GlassLine) => boolean | undefined): void => {
    const row = rows.get(glass);
    if (!row || !holds(row)) wrong.push(`${glass} was told to be ${what} and is ${row?.status ?? 'not there'}`);
  };
  for (const { glass, session } of told(evidence, 'glass asked')) must(glass, `asked for in ${session}`, (row) => row.session === session);
  for (const { glass } of told(evidence, 'glass confirmed')) must(glass, 'confirmed', (row) => row.activated);
  for (const { glass } of told(evidence, 'glass ended')) must(glass, 'ended', ({ status }) => status === 'ended');
  for (const { glass } of told(evidence, 'glass reviewed')) must(glass, 'reviewed', ({ reviewed }) => reviewed);
  return wrong;
}

/** One record of each step it took, none of any other, and each by whom it must be. */
function checkHistory({ id, status, terms, confirmer, activated, reviewed }: GlassLine, history: readonly StoredRecord[]): string[] {
  const due = [
    'break_glass.requested',
    ...(activated ? ['break_glass.activated'] : []),
    ...(status === 'lapsed' || status === 'ended' ? [`break_glass.${status}`] : []),
    ...(reviewed ? ['break_glass.reviewed'] : []),
  ];
  const said = history.map(({ body }) => body.type);
  const wrong = said.join() === due.join() ? [] : [`${id} is ${status}, and its records say: ${said.join(', ') || 'nothing'}`];
  const by = (type: string): string | undefined => history.find(({ body }) => body.type === type)?.body.actor;
  const [first, second, judge] = [by('break_glass.requested'), by('break_glass.activated'), by('break_glass.reviewed')];
  if (first !== terms.initiator.person) wrong.push(`${id} was asked for by ${terms.initiator.person}, and the record says ${first}`);
  if (activated && (second === undefined || second !== confirmer?.person || second === first)) wrong.push(`${id} has no second person on the record`);
  if (judge !== undefined && (judge === first || judge === second)) wrong.push(`${id} was reviewed by who took part`);
  return wrong;
}

/** Drawn within its terms, by its session, between its activation and its end. */
function checkDraws({ id, session, status, terms, used }: GlassLine, draws: readonly StoredRecord[], history: readonly StoredRecord[]): string[] {
  const wrong: string[] = [];
  const at = (type: string): StoredRecord | undefined => history.find(({ body }) => body.type === type);
  const [from, to] = [at('break_glass.activated')?.index ?? Number.POSITIVE_INFINITY, at('break_glass.ended')?.index ?? Number.POSITIVE_INFINITY];
  for (const { index, body } of draws) {
    if (index < from || index > to) wrong.push(`${body.dispatch} at ${index} was drawn from ${id}, which was open from ${from} to ${to}`);
    if (body.session !== session || !terms.tools.includes(body.tool ?? '')) wrong.push(`${body.dispatch} was drawn from ${id}, which is not for it`);
  }
  const amount = draws.length * counted(payment);
  if (draws.length > terms.calls || amount > terms.amount) wrong.push(`${id} gave ${draws.length} calls and ${amount}, of ${terms.calls} and ${terms.amount}`);
  if (used !== draws.length > 0) wrong.push(`${id} says that it was ${used ? '' : 'not '}used, with ${draws.length} calls`);
  const ended = at('break_glass.ended');
  if (status === 'ended' && ended?.body.count !== draws.length)
    wrong.push(`${id} ended with ${ended?.body.count} calls on the record, and gave ${draws.length}`);
  return wrong;
}

/** Nobody acts under it whom nobody else is told of: each message waits or has arrived. */
function checkNotices(evidence: Evidence, { id, activated, used, status }: GlassLine): string[] {
  const due = [...(activated ? ['activated'] : []), ...(used ? ['used'] : []), ...(status === 'ended' ? ['ended'] : [])];
  const letters = told(evidence, 'letter').filter(({ text }) => text.includes(id)).length;
  const own = evidence.messages.filter(({ glass, status: how }) => glass === id && how !== 'given_up');
  const wrong = due
    .filter((step) => own.filter(({ type }) => type === `break_glass.${step}`).length !== 1)
    .map((step) => `nobody is told that ${id} was ${step}`);
  const delivered = own.filter((one) => one.status === 'delivered').length;
  if (letters < delivered) wrong.push(`${delivered} messages about ${id} are said to be delivered, and ${letters} letters came`);
  return wrong;
}
