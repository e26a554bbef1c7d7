import { compileSchema } from './arguments.ts';
import type { Definition } from './definition.ts';
import { isMixed, namesOf, type OtherTool, resembles } from './look-alikes.ts';
import type { ToolManifest } from './manifest.ts';

/** A look at a definition before a human accepts it: what a reviewer's eye would miss. Some of it no honest tool has, and is refused; the rest warns. */

export interface Finding {
  readonly severity: 'refused' | 'warning';
  readonly reason: string;
}
export interface Surroundings {
  /** Its labels, when somebody gave it any. */
  readonly manifest?: ToolManifest;
  /** The tools beside it: of its own upstream and of the tenant's others. */
  readonly others?: readonly OtherTool[];
}

const longestDescription = 4_096;
const largestDefinition = 65_536;

/** Tags (a whole alphabet that shows as nothing) and overrides that make text read in another order than it is stored (Unicode TR9 §2). */
const smuggling = /[\u{e0000}-\u{e007f}]|[\u202a-\u202e\u2066-\u2069]/u;
/** What else renders as nothing: format characters, variation selectors, Hangul fillers. Joiners of scripts and emoji are among them. */
const hidden = /\p{Cf}|[\u115f\u1160\u3164\uffa0]|[\ufe00-\ufe0d]|[\u{e0100}-\u{e01ef}]/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;
/** Text that speaks to the model about anything but the tool. Each is a few words apart at most, so that none runs away. */
const directives = [
  /<\/?(?:system|important|instructions?|secret|hidden)\b/iu,
  /\b(?:ignore|disregard|forget|override)\s+(?:all\s+|any\s+|the\s+|your\s+)*(?:previous|prior|above|earlier|other|system)\b/iu,
  /\b(?:do not|don't|never)\s+(?:tell|inform|mention|show|reveal|ask)\b[^.]{0,40}\buser\b/iu,
  /\bwithout\s+(?:telling|asking|informing)\b[^.]{0,40}\buser\b/iu,
  /\b(?:system prompt|your instructions|your (?:previous )?conversation|chat history)\b/iu,
  /\b(?:before|after|when|instead of)\s+(?:using|calling|invoking)\s+(?:any|every|all|each|another|other)\b/iu,
  /!\[[^\]]{0,200}\]\(\s*https?:/iu,
];
/** Where people keep keys. */
const keys = /(?:~|\$HOME)\/\.\w|\/etc\/(?:passwd|shadow)\b|\bid_(?:rsa|ed25519)\b|\.(?:npmrc|netrc|aws|ssh)\b/iu;
/** Nobody writes this for people: encoded text. */
const blob = /[A-Za-z0-9+/=_-]{256}/u;

/** What is to be said of it; empty when there is nothing. In time bounded by the definition's size. */
export function screenDefinition(definition: Definition, { manifest, others = [] }: Surroundings = {}): readonly Finding[] {
  const found = new Map<string, Finding>();
  const refuse = (reason: string): void => void found.set(reason, { severity: 'refused', reason });
  const warn = (reason: string): void => void (found.has(reason) || found.set(reason, { severity: 'warning', reason }));
  const size = JSON.stringify(definition).length;
  if (size > largestDefinition) refuse(`the definition is ${size} characters long; a model is given at most ${largestDefinition}`);
  if ((definition.description?.length ?? 0) > longestDescription) warn(`the description is ${definition.description?.length} characters long`);
  for (const [where, text, isName] of size > largestDefinition ? [] : textsOf(definition)) {
    if (smuggling.test(text)) refuse(`${where} holds tag characters, or such that change the reading order`);
    else if (hidden.test(text)) warn(`${where} holds invisible characters`);
    if (control.test(text)) refuse(`${where} holds control characters`);
    if (directives.some((one) => one.test(text))) warn(`${where} gives the model instructions`);
    if (keys.test(text)) warn(`${where} names files in which keys are kept`);
    if (blob.test(text)) warn(`${where} holds encoded text`);
    if (isName && isMixed(text)) warn(`${where} mixes letters of alphabets that look alike`);
    for (const other of isName ? [] : others) {
      const spoken = other.upstream !== null && namesOf(other).some((name) => name !== definition.name && text.includes(name));
      if (spoken) warn(`${where} speaks of ${other.name}, a tool of another upstream`);
    }
  }
  const own = others.filter((other) => resembles(definition.name, manifest?.as, other));
  for (const { name } of own) warn(`its name looks like that of ${name}`);
  if (definition.kind === undefined) {
    for (const reason of manifest ? contradictions(manifest, definition.annotations ?? {}) : []) warn(reason);
    const output = definition.outputSchema === undefined ? null : compileSchema(definition.outputSchema);
    if (output !== null && 'unsupported' in output) warn(`its results are passed on unchecked, as its output schema cannot be used: ${output.unsupported}`);
  }
  return [...found.values()];
}

/** Hints that make less of the tool than its labels do. They are never trusted; that they differ is worth a look. */
function contradictions({ effect, reaches }: ToolManifest, hints: Readonly<Record<string, unknown>>): string[] {
  const says = (hint: string, value: boolean): boolean => hints[hint] === value;
  return [
    ...(says('readOnlyHint', true) && effect !== 'read' ? [`it says of itself that it only reads, and is registered as ${effect}`] : []),
    ...(says('readOnlyHint', false) && effect === 'read' ? ['it says of itself that it does more than read, and is registered as read'] : []),
    ...(says('destructiveHint', true) && effect === 'write' ? ['it says of itself that it is destructive, and is registered as write'] : []),
    ...(says('destructiveHint', false) && effect === 'destructive' ? ['it says of itself that it is not destructive, and is registered as destructive'] : []),
    ...(says('openWorldHint', true) && reaches === 'tenant' ? ['it says of itself that it reaches outside, and is registered as staying in the tenant'] : []),
  ];
}

/** The same text with every character that would not be seen, or would move others, written out. */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|[\ufe00-\ufe0d]|[\u{e0100}-\u{e01ef}]/gu,
    (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`,
  );

/** Every string of the definition, keys included, with whether it is a name: all of it is put before a model. */
function* textsOf(definition: Definition): Generator<readonly [string, string, boolean]> {
  const { name, title, description, ...rest } = definition;
  yield ['the name', name, true];
  if (title !== undefined) yield ['the title', title, false];
  if (description !== undefined) yield ['the description', description, false];
  if (definition.kind === 'prompt') for (const argument of definition.arguments ?? []) yield ['its arguments', argument.name, true];
  for (const [part, value] of Object.entries(rest)) {
    const pending: unknown[] = [value];
    while (pending.length > 0) {
      const next = pending.pop();
      if (typeof next === 'string') yield [`its ${part}`, next, false];
      else if (Array.isArray(next)) pending.push(...next);
      else if (typeof next === 'object' && next !== null) {
        for (const key of Object.keys(next)) yield [`its ${part}`, key, true];
        pending.push(...Object.values(next));
      }
    }
  }
}
