import { z } from 'zod';
import type { RecordBody } from './record.ts';
import { fields, label, longestText, mostTexts, number, text, texts, whole } from './record-fields.ts';

const required = ['type', 'at'] as const;

/** The record as it may be kept: only fields of the allow-list. Throws on any other, because what is not listed may be a value or a secret. */
export function checkBody(record: RecordBody): RecordBody {
  const kept: Readonly<Record<string, unknown>> & RecordBody = { ...record };
  for (const name of Object.keys(kept)) if (!passesAsItIs.get(name)?.(kept[name])) return checkEach(kept);
  return kept.type === undefined || kept.at === undefined ? checkEach(kept) : kept;
}

/** Mends what can be mended, and says what cannot. */
function checkEach(record: RecordBody): RecordBody {
  const kept: Record<string, unknown> = {};
  // Paths only: a message of the check could quote the value that must not be kept.
  const wrong: string[] = required.filter((name) => record[name] === undefined);
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue;
    const checked = Object.hasOwn(fields, name) ? fields[name as keyof RecordBody].safeParse(value) : null;
    if (checked?.success) kept[name] = checked.data;
    else wrong.push(...(checked ? checked.error.issues.map((issue) => placeOf(name, issue)) : [name]));
  }
  if (wrong.length > 0) throw new Error(`not allowed in a record: ${wrong.join('; ').slice(0, 300)}`);
  return kept as unknown as RecordBody;
}

const placeOf = (name: string, issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : [name, ...issue.path].join('.');

type Test = (value: unknown) => boolean;

const isText: Test = (value) => typeof value === 'string' && value.length <= longestText && value.isWellFormed();

function areTexts(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > mostTexts) return false;
  // By index, so that a hole is seen as the `undefined` it is.
  for (let index = 0; index < value.length; index++) if (!isText(value[index])) return false;
  return true;
}

function isLabel(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype || Object.keys(value).length !== 3) return false;
  const { sensitivity, categories, integrity } = value as Readonly<Record<string, unknown>>;
  return isText(sensitivity) && areTexts(categories) && isText(integrity);
}

/** By field, what tells without its check that the check would let a value through unchanged: two records a call are checked, and are so. */
const passesAsItIs: ReadonlyMap<string, Test> = new Map(
  Object.entries<z.ZodType>(fields).flatMap(([name, check]) => {
    const test = testOf(check);
    return test ? [[name, test]] : [];
  }),
);

function testOf(check: z.ZodType): Test | null {
  if (check instanceof z.ZodEnum) {
    const options = new Set<unknown>(check.options);
    return (value) => options.has(value);
  }
  if (check instanceof z.ZodBoolean) return (value) => typeof value === 'boolean';
  switch (check) {
    case text:
      return isText;
    case texts:
      return areTexts;
    case whole:
      return Number.isSafeInteger;
    case number:
      return Number.isFinite;
    case label:
      return isLabel;
    default:
      return null;
  }
}
