import { addressOf, canonicalForm, type Definition, visible } from '../../tools/index.ts';
import { type Line, lineDifference } from '../changes/line-difference.ts';

/** What is different about a definition, so that a person can read it: prose sentence by sentence, schemas key by key, nothing hidden. */

/** Of any kind. What a tool or a prompt is known by stands in none of its differences; a resource is known by its address. */
const parts = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'mimeType', 'arguments', 'annotations'] as const;

export interface PartDifference {
  readonly part: (typeof parts)[number];
  readonly lines: readonly Line[];
}

export function definitionDifference(before: Definition | null, after: Definition | null): PartDifference[] {
  return parts
    .map((part) => ({ part, lines: lineDifference(textOf(partOf(before, part)), textOf(partOf(after, part))) }))
    .filter(({ lines }) => lines.length > 0);
}

const partOf = (definition: Definition | null, part: (typeof parts)[number]): unknown =>
  definition === null || (part === 'name' && addressOf(definition) === definition.name)
    ? undefined
    : (definition as { readonly [one in typeof part]?: unknown })[part];

/** The same as lines of a plan. */
export const definitionLines = (before: Definition, after: Definition): string[] =>
  definitionDifference(before, after).flatMap(({ part, lines }) => lines.map(({ sign, text }) => `${part} ${sign} ${text}`));

function textOf(value: unknown): string {
  if (value === undefined) return '';
  // Cut after sentences and lines; not a space is left out, because one alone makes another definition.
  if (typeof value === 'string')
    return value
      .split(/(?<=[.!?][ \t])|(?<=\n)/)
      .map((piece) => visible(piece).replaceAll('\\u{a}', '\\n'))
      .join('\n');
  let sorted = value;
  try {
    sorted = JSON.parse(canonicalForm(value));
  } catch {
    // No canonical form: shown in its own order.
  }
  return JSON.stringify(sorted, null, 2).split('\n').map(visible).join('\n');
}
