import { format as formats } from '@cfworker/json-schema';
import { spend } from './budget.ts';
import { checkedFormats } from './formats.ts';
import { linearPattern } from './patterns.ts';

/** Everything a schema says about a string, as one test of ours: the validator's own run unbounded and uncounted. */

/** What is wrong with a text, in words for a model; null when nothing is. */
type StringCheck = (text: string) => string | null;

export interface StringChecks {
  /** To stand as `format` in the prepared schema. */
  readonly format: string;
  /** What its pattern takes to hold. */
  readonly size: number;
}

/** Null when the schema says nothing about strings. Its keywords' values are of the right type. */
export function stringChecks(schema: Readonly<Record<string, unknown>>): StringChecks | { readonly unfit: string } | null {
  const { pattern, format, minLength, maxLength } = schema;
  const checks: StringCheck[] = [];
  let size = 0;
  if (typeof pattern === 'string') {
    const made = linearPattern(pattern);
    if ('unfit' in made) return made;
    size = made.size;
    checks.push((text) => (made.test(text) ? null : `must match the pattern ${pattern.length > 200 ? `${pattern.slice(0, 200)}…` : pattern}`));
  }
  const known = typeof format === 'string' ? checkedFormats.get(format) : undefined;
  if (known !== undefined) {
    checks.push((text) => {
      spend(text.length / 40);
      return known(text) ? null : `must be in the format ${format}`;
    });
  }
  if (typeof minLength === 'number') checks.push((text) => (isLonger(text, minLength - 1) ? null : `must have at least ${minLength} characters`));
  if (typeof maxLength === 'number') checks.push((text) => (isLonger(text, maxLength) ? `must have at most ${maxLength} characters` : null));
  return checks.length === 0 ? null : { format: asFormat(checks), size };
}

/** Counted in code points, and only where the number of units leaves it open. */
function isLonger(text: string, count: number): boolean {
  if (text.length <= count) return false;
  if (text.length > 2 * count + 1) return true;
  spend(text.length / 200);
  let points = 0;
  for (const _ of text) if (++points > count) return true;
  return false;
}

const hook = 'taskgate';
let asked: readonly StringCheck[] = [];
let wrong: string | null = null;

formats[hook] = (text) => {
  const said = asked.map((check) => check(text)).filter((words) => words !== null);
  wrong = said.length === 0 ? null : said.join('; ');
  return wrong === null;
};

/**
 * The validator turns a format into text to look its test up, and once more to tell that the test failed. An object takes
 * the chance both times, so that no table of formats grows with the schemas of others.
 */
function asFormat(checks: readonly StringCheck[]): string {
  const name = {
    toString(): string {
      if (wrong !== null) {
        const words = wrong;
        wrong = null;
        return words;
      }
      asked = checks;
      return hook;
    },
  };
  return name as unknown as string;
}
