import { secondsOf } from '../../policies/index.ts';

/** Whole seconds of a document's duration, whose shape the schema checked. */
export function seconds(duration: string): number {
  const whole = secondsOf(duration);
  if (whole === null) throw new Error(`not a duration: ${duration}`);
  return whole;
}

/** Epoch milliseconds at which a document's date has passed: the end of that day, UTC. */
export function endOfDay(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) + 86_400_000;
}
