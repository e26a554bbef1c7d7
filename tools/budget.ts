/** What one check may cost. Checks are synchronous, so one account serves them all. */

/** A value that is not accepted because it was not checked; the message is for a model. */
export class Unchecked extends Error {
  override readonly name = 'Unchecked';
}

/** About a microsecond each. */
const mostWork = 50_000;

let left = 0;
let names: readonly string[] = [];

export function openBudget(): void {
  left = mostWork;
  names = [];
}

/** Throws `Unchecked` when the check has cost too much. */
export function spend(cost: number): void {
  left -= cost;
  if (left < 0) throw new Unchecked('takes too much work to check; send less');
}

/** Every property name of the value under check, once each. */
export const namesInValue = (): readonly string[] => names;
export function nameValue(found: readonly string[]): void {
  names = found;
}
