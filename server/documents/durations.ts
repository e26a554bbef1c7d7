import { secondsOf } from '../../policies/index.ts';

/** Whole seconds of a document's duration, whose shape the schema checked. */
export function seconds(duration: string): number {
  const whole = secondsOf(duration);
  if (whole === null) throw new Error(`not a duration: ${duration}`);
  return whole;
}

const dayMs = 86_400_000;

/** Ends of days that were asked for: every call asks for the same few. */
const ends = new Map<string, number>();
const mostEnds = 1_000;

/** Epoch milliseconds at which a document's date has passed: the end of that day, UTC. */
export function endOfDay(date: string): number {
  const known = ends.get(date);
  if (known !== undefined) return known;
  const end = Date.parse(`${date}T00:00:00Z`) + dayMs;
  if (ends.size >= mostEnds) ends.clear();
  ends.set(date, end);
  return end;
}

let today = { begins: 0, date: '1970-01-01' };

/** The day of a moment, `YYYY-MM-DD`, UTC. */
export function dayOf(at: number): string {
  const begins = Math.floor(at / dayMs) * dayMs;
  if (begins !== today.begins) today = { begins, date: new Date(begins).toISOString().slice(0, 10) };
  return today.date;
}
