import type { OutputUnit } from '@cfworker/json-schema';

/** What is wrong with arguments, in words a model can act on; never the values. */
export interface ArgumentProblem {
  /** JSON Pointer into the arguments. */
  readonly path: string;
  readonly problem: string;
}

const mostProblems = 20;
/** Characters of places read; a value can be wrong in very many places with very long names. */
const mostRead = 200_000;
const undeclared = 'is not an argument this tool takes';

const article: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a string',
};

/** Innermost only, one a place; in words, since the validator's own also quote the value. */
export function problemsOf(errors: readonly OutputUnit[]): readonly ArgumentProblem[] {
  const found = new Map<string, Set<string>>();
  const types = new Map<string, Set<string>>();
  let read = 0;
  for (const [index, unit] of errors.entries()) {
    read += unit.instanceLocation.length + unit.keywordLocation.length;
    if (read > mostRead) break;
    if (isOuter(unit, errors[index + 1])) continue;
    const path = pathOf(unit);
    if (!found.has(path) && found.size >= mostProblems) continue;
    const said = found.get(path) ?? new Set();
    found.set(path, said);
    if (unit.keyword === 'type') {
      // Several branches may each name a type: told as one, "a string or null".
      const expected = types.get(path) ?? new Set();
      types.set(path, expected);
      for (const match of unit.error.slice(unit.error.indexOf('Expected')).matchAll(/"(\w+)"/g)) expected.add(article[match[1] ?? ''] ?? 'another type');
    } else said.add(wordsFor(unit));
  }
  const paths = [...found.keys(), ...types.keys()];
  for (const [path, said] of found) {
    // A declared property that failed counts as undeclared to the validator, on top of what is wrong with it.
    if (said.has(undeclared) && (said.size > 1 || types.has(path) || paths.some((other) => other.startsWith(`${path}/`)))) said.delete(undeclared);
    if (said.size === 0 && !types.has(path)) found.delete(path);
  }
  return [...found].map(([path, said]) => {
    const expected = types.get(path);
    const words = expected === undefined ? [...said] : [`must be ${[...expected].join(' or ')}`, ...said];
    return { path, problem: words.slice(0, 4).join('; ') };
  });
}

/** The validator reports each enclosing schema before what failed within it. */
function isOuter(unit: OutputUnit, next: OutputUnit | undefined): boolean {
  return next !== undefined && (unit.keyword === 'if' || next.keywordLocation.startsWith(`${unit.keywordLocation}/`));
}

function pathOf(unit: OutputUnit): string {
  const at = decodeURI(unit.instanceLocation.slice(1)).replaceAll('%23', '#');
  const missing = unit.keyword === 'required' ? /property "(.*)"\.$/s.exec(unit.error)?.[1] : undefined;
  return missing === undefined ? at : `${at}/${missing.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Words from the keyword and its bound; the validator's own text also quotes the value, so only its end is read. */
function wordsFor(unit: OutputUnit): string {
  const bound = /(-?\d[\d.e+-]*?)\)?\.?$/.exec(unit.error)?.[1] ?? '?';
  switch (unit.keyword) {
    case 'required':
      return 'is required';
    case 'enum':
      // Nothing is allowed where the schema is `false`.
      if (unit.error.endsWith(' any of [].')) return undeclared;
      return `must be one of ${clip(unit.error.slice('Instance does not match any of '.length, -1))}`;
    case 'const':
      return `must be ${clip(unit.error.slice('Instance does not match '.length, -1))}`;
    case 'minimum':
      return `must be at least ${bound}`;
    case 'maximum':
      return `must be at most ${bound}`;
    case 'exclusiveMinimum':
      return `must be more than ${bound}`;
    case 'exclusiveMaximum':
      return `must be less than ${bound}`;
    case 'multipleOf':
      return `must be a multiple of ${bound}`;
    case 'minItems':
      return `must have at least ${bound} items`;
    case 'maxItems':
      return `must have at most ${bound} items`;
    case 'uniqueItems':
      return 'must not hold an item twice';
    case 'format':
      // Words of ours stand where the validator names the format.
      return unit.error.slice('String does not match format "'.length, -2);
    case 'dependentRequired':
    case 'dependencies':
      return `needs another argument beside it: ${clip(/does not have "(.*)"\.$/s.exec(unit.error)?.[1] ?? '')}`;
    case 'minProperties':
      return 'has too few members';
    case 'maxProperties':
      return 'has too many members';
    case 'oneOf':
      return 'must match exactly one of the allowed forms';
    case 'not':
      return 'has a form that is not allowed';
    default:
      return `does not satisfy \`${unit.keyword}\``;
  }
}

const clip = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
