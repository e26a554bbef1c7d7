import fc from 'fast-check';
import { expect, test } from 'vitest';
import { one, together, type Verb } from '../../server/store/verb.ts';

/** Reads names one after the other, as many steps as there are. */
function* reads(names: readonly string[]): Verb<string[]> {
  const seen: string[] = [];
  for (const name of names) seen.push((yield* one<string>(name)) ?? '');
  return seen;
}

/** A store that answers each statement with its own text in capitals, and says what it was asked in each exchange. */
function perform<T>(verb: Verb<T>): { answer: T; exchanges: string[][] } {
  const exchanges: string[][] = [];
  for (let step = verb.next(); ; ) {
    if (step.done) return { answer: step.value, exchanges };
    const texts = step.value.map((statement) => ('text' in statement ? statement.text : ''));
    exchanges.push(texts);
    step = verb.next(texts.map((text) => text.toUpperCase()));
  }
}

test('verbs run together answer what each answers alone, in as many exchanges as the longest needs', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.string(), { maxLength: 5 }), { maxLength: 5 }), (lists) => {
      const { answer, exchanges } = perform(together(...lists.map(reads)));
      expect(answer).toEqual(lists.map((names) => perform(reads(names)).answer));
      expect(exchanges).toHaveLength(Math.max(0, ...lists.map(({ length }) => length)));
      for (const [step, texts] of exchanges.entries()) expect(texts).toEqual(lists.flatMap((names) => names.slice(step, step + 1)));
    }),
  );
});
