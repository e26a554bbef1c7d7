import { compileSchema } from './arguments.ts';
import type { ToolDefinition } from './manifest.ts';

/** A look at a definition before a human accepts it: what a reviewer's eye would miss. Findings warn; labels decide. */

const longestDescription = 4_096;
const largestDefinition = 65_536;

/** Characters that render as nothing: format characters, tags, variation selectors, Hangul fillers. */
const hidden = /\p{Cf}|[\u115f\u1160\u3164\uffa0]|[\ufe00-\ufe0d]|[\u{e0100}-\u{e01ef}]/u;
/** Overrides and isolates that make text read in another order than it is stored (Unicode TR9 §2). */
const bidi = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;
/** Text that speaks to the model about anything but the tool. */
const directive = /<\/?(?:system|important|instructions?)\b|ignore (?:all |any )?(?:previous|prior|above) |do not (?:tell|inform|mention)[^.]{0,40}\buser\b/iu;

/** Reasons a human should look twice; empty when there are none. In time bounded by the definition's size. */
export function screenDefinition(definition: ToolDefinition): readonly string[] {
  const reasons = new Set<string>();
  const size = JSON.stringify(definition).length;
  if (size > largestDefinition) reasons.add(`the definition is ${size} characters long`);
  if ((definition.description?.length ?? 0) > longestDescription) reasons.add(`the description is ${definition.description?.length} characters long`);
  for (const [where, text] of textsOf(definition)) {
    if (bidi.test(text)) reasons.add(`${where} holds characters that change the reading order`);
    else if (hidden.test(text)) reasons.add(`${where} holds invisible characters`);
    if (control.test(text)) reasons.add(`${where} holds control characters`);
    if (directive.test(text)) reasons.add(`${where} gives the model instructions`);
  }
  const output = definition.outputSchema === undefined ? null : compileSchema(definition.outputSchema);
  if (output !== null && 'unsupported' in output)
    reasons.add(`its results are passed on unchecked, as its output schema cannot be used: ${output.unsupported}`);
  return [...reasons];
}

/** The same text with every character that would not be seen, or would move others, written out. */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|[\ufe00-\ufe0d]|[\u{e0100}-\u{e01ef}]/gu,
    (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`,
  );

/** Every string of the definition, keys included: all of it is put before a model. */
function* textsOf(definition: ToolDefinition): Generator<readonly [string, string]> {
  const { name, title, description, ...rest } = definition;
  yield ['the name', name];
  if (title !== undefined) yield ['the title', title];
  if (description !== undefined) yield ['the description', description];
  for (const [part, value] of Object.entries(rest)) {
    const pending: unknown[] = [value];
    while (pending.length > 0) {
      const next = pending.pop();
      if (typeof next === 'string') yield [`its ${part}`, next];
      else if (typeof next === 'object' && next !== null) pending.push(...Object.keys(next), ...Object.values(next));
    }
  }
}
