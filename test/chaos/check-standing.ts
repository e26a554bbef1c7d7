import type { StoredRecord } from '../../server/audit/index.ts';
import { type Evidence, groupBy, recordsOf, type StandingLine, told } from './evidence.ts';
import { standing as terms } from './world.ts';

const types = ['standing.proposed', 'standing.given', 'standing.denied', 'standing.revoked', 'standing.expired'] as const;

/** Standing approvals: what was told of them, what is on the record of them, and what was drawn from them. */
export function checkStanding(evidence: Evidence): string[] {
  const rows = new Map(evidence.standings.map((row) => [row.id, row]));
  const history = groupBy(recordsOf(evidence, ...types), ({ body }) => body.standing?.[0]);
  const voted = groupBy(recordsOf(evidence, 'standing.voted'), ({ body }) => body.standing?.[0]);
  const draws = groupBy(recordsOf(evidence, 'call.dispatched'), ({ body }) => body.standing?.[0]);
  const votes = groupBy(evidence.standingVotes, ({ standing }) => standing);
  const nameless = [...new Set([...history.keys(), ...voted.keys(), ...draws.keys()])].filter((id) => !rows.has(id));
  return [
    ...checkTold(evidence, rows),
    ...nameless.map((id) => `${id} is on the record and is not there`),
    ...evidence.standings.flatMap((row) => [
      ...checkHistory(row, history.get(row.id) ?? []),
      ...checkVotes(row, votes.get(row.id) ?? [], voted.get(row.id) ?? []),
      ...checkDraws(row, draws.get(row.id) ?? [], history.get(row.id) ?? []),
    ]),
  ];
}

function checkTold(evidence: Evidence, rows: ReadonlyMap<string, StandingLine>): string[] {
  const wrong: string[] = [];
  const votes = new Set(evidence.standingVotes.map(({ standing, person, decision }) => `${standing} ${person} ${decision}`));
  for (const { standing, digest } of told(evidence, 'standing shown')) {
    if (rows.get(standing)?.digest !== digest) wrong.push(`${standing} was shown and is not there as it was shown`);
  }
  for (const { standing, person, status } of told(evidence, 'standing voted')) {
    if (!votes.has(`${standing} ${person} approve`)) wrong.push(`the vote of ${person} on ${standing} was confirmed and is not there`);
    if (status === 'active' && rows.get(standing)?.status === 'pending') wrong.push(`${standing} was told to be given and waits`);
  }
  for (const { standing } of told(evidence, 'standing revoked')) {
    if (rows.get(standing)?.status !== 'revoked') wrong.push(`${standing} was taken back and is ${rows.get(standing)?.status ?? 'not there'}`);
  }
  return wrong;
}

function checkHistory({ id, status }: StandingLine, history: readonly StoredRecord[]): string[] {
  const said = history.map(({ body }) => body.type.slice('standing.'.length));
  const given = said.includes('given') ? ['given'] : [];
  const ends = { pending: [], active: ['given'], denied: ['denied'], revoked: [...given, 'revoked'], expired: [...given, 'expired'] }[status] ?? [];
  return said.join() === ['proposed', ...ends].join() ? [] : [`${id} is ${status}, and its records say: ${said.join(', ') || 'nothing'}`];
}

/** Given by as many of its group as it stands for; not one of them proposed it. */
function checkVotes({ id, author, status }: StandingLine, votes: Evidence['standingVotes'], voted: readonly StoredRecord[]): string[] {
  const cast = votes.map(({ person, decision }) => `${person} ${decision}`).sort();
  const said = voted.map(({ body }) => `${body.actor} ${body.vote}`).sort();
  const wrong = cast.join() === said.join() ? [] : [`the votes on ${id} are ${cast.join(', ') || 'none'}, and the record says ${said.join(', ') || 'none'}`];
  const givers = new Set(votes.filter(({ person, decision }) => decision === 'approve' && person !== author).map(({ person }) => person));
  if (status === 'active' && givers.size < 2) wrong.push(`${id} is active by ${givers.size}`);
  return wrong;
}

/** Drawn within its caps, between the day it was given and the moment it was taken back. */
function checkDraws({ id }: StandingLine, draws: readonly StoredRecord[], history: readonly StoredRecord[]): string[] {
  const at = (type: string): number | undefined => history.find(({ body }) => body.type === type)?.index;
  const from = at('standing.given') ?? Number.POSITIVE_INFINITY;
  const to = at('standing.revoked') ?? at('standing.expired') ?? Number.POSITIVE_INFINITY;
  const wrong = draws
    .filter(({ index }) => index < from || index > to)
    .map(({ index }) => `the call at ${index} rests on ${id}, which held from ${from} to ${to}`);
  const days = [...groupBy(draws, ({ body }) => new Date(body.at).toISOString().slice(0, 10)).values()];
  if (draws.length > terms.max_calls || days.some((day) => day.length > terms.per_day.calls))
    wrong.push(`${id} gave ${draws.length} calls, more than its caps`);
  return wrong;
}
