import { type Evidence, recordsOf } from './evidence.ts';

/** Policy asks two of finance for each payment: whichever way they gave it, the dispatch record names it and them. */
export function checkWarranted(evidence: Evidence): string[] {
  return recordsOf(evidence, 'call.dispatched').flatMap(({ index, body }) => {
    if (body.tool !== 'books__pay') return [];
    const ways = [body.approval, body.break_glass, ...(body.standing ?? [])].filter((way) => way !== undefined);
    const persons = new Set(body.satisfied?.flatMap((one) => one.persons));
    return ways.length === 1 && persons.size >= 2 ? [] : [`the payment at ${index} rests on ${ways.join(' and ') || 'nothing'}, given by ${persons.size}`];
  });
}
