import type { Query, Row, Value } from '../verb.ts';

/** What queries were answered, by text and then by values; undefined is no answer. The oldest to one text make room. */
export interface Answers {
  recall(query: Query): unknown;
  keep(query: Query, found: unknown): void;
  forget(): void;
}

interface Answer {
  readonly found: unknown;
  readonly weight: number;
}

/** Of all together, in characters. */
const mostWeight = 8_388_608;

export function createAnswers(most = mostWeight): Answers {
  const known = new Map<string, Map<string, Answer>>();
  let weight = 0;
  return {
    recall: ({ text, values }) => known.get(text)?.get(joined(values))?.found,
    keep({ text, values }, found) {
      const all = known.get(text) ?? new Map<string, Answer>();
      known.set(text, all);
      const answer = { found, weight: weightOf(found) };
      all.set(joined(values), answer);
      weight += answer.weight;
      for (const [id, oldest] of all) {
        if (weight <= most) break;
        all.delete(id);
        weight -= oldest.weight;
      }
    },
    forget() {
      known.clear();
      weight = 0;
    },
  };
}

/** Names and ids hold no control characters. */
export const joined = (values: readonly Value[]): string => values.join('\0');

/** Nearly all of a row is its texts. */
const weightOf = (found: unknown): number =>
  [found].flat().reduce<number>((sum, row) => sum + Object.values(row as Row).reduce<number>((own, value) => own + String(value).length, 64), 0);
