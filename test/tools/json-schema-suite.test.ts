import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileSchema } from '../../tools/index.ts';

/** The official JSON Schema Test Suite, every group of it: answered as it says, or refused at registration for a listed reason. */

interface Group {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

const suites = process.env['TASKGATE_SUITES'] ?? join(import.meta.dirname, '../../../shared/suites');
const suite = join(suites, 'json-schema', 'tests');
const present = existsSync(suite);
const page = readFileSync(join(import.meta.dirname, '../../docs/schemas.md'), 'utf8');

const drafts = {
  'draft2020-12': { uri: 'https://json-schema.org/draft/2020-12/schema', accepted: 406 },
  'draft2019-09': { uri: 'https://json-schema.org/draft/2019-09/schema', accepted: 406 },
  draft7: { uri: 'http://json-schema.org/draft-07/schema#', accepted: 303 },
  draft6: { uri: 'http://json-schema.org/draft-06/schema#', accepted: 259 },
  draft4: { uri: 'http://json-schema.org/draft-04/schema#', accepted: 185 },
};

/** Reason, as refused, and the words under which `docs/schemas.md` lists it. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/refers to nothing within the schema/, 'a reference to anything outside the schema'],
  [/another part of the schema has the same anchor/, 'one anchor twice'],
  [/depends on the way here/, 'a dynamic reference beside a schema with its own identifier'],
  [/matched in linear time/, 'a pattern that looks around, refers back'],
  [/names a dialect other than/, 'another dialect'],
  [/names another dialect than the whole/, 'a part in another dialect'],
];

const checked = ['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference', 'uuid', 'json-pointer'];

/** Where the suite says one thing and `docs/schemas.md` another. Null: as the suite says. */
function otherwise(file: string, data: unknown): boolean | null {
  const format = /^optional\/format\/(.*)\.json$/.exec(file)?.[1];
  // Formats that are not checked describe only.
  if (format !== undefined && !checked.includes(format)) return true;
  if (format === 'hostname' && typeof data === 'string' && /xn--/i.test(data)) return true;
  if (file === 'optional/content.json') return true;
  // JSON numbers have one kind, whatever they look like.
  if (file === 'optional/zeroTerminatedFloats.json') return true;
  return null;
}

describe.skipIf(!present)(`the official JSON Schema Test Suite${present ? '' : ` (skipped: not found in ${suites})`}`, () => {
  it.each(Object.entries(drafts))('is answered as it says or refused for a listed reason: %s', (draft, { uri, accepted }) => {
    const wrong: string[] = [];
    const refusals: Record<string, number> = {};
    let groups = 0;
    let answered = 0;
    for (const file of readdirSync(join(suite, draft), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))) {
      for (const group of JSON.parse(readFileSync(join(suite, draft, file), 'utf8')) as Group[]) {
        const written = typeof group.schema === 'boolean' ? (group.schema ? {} : { not: {} }) : (group.schema as object);
        const compiled = compileSchema({ $schema: uri, ...written });
        if ('unsupported' in compiled) {
          const reason = reasons.find(([pattern]) => pattern.test(compiled.unsupported))?.[1] ?? `unlisted: ${compiled.unsupported}`;
          refusals[reason] = (refusals[reason] ?? 0) + 1;
          continue;
        }
        groups += 1;
        for (const { data, valid, description } of group.tests) {
          // The checked ones are asserted, which a dialect leaves open; the suite has a folder for either reading.
          const annotated = file === 'format.json' && checked.some((name) => group.description.startsWith(`${name} format`));
          if (annotated && description.endsWith('is only an annotation by default')) continue;
          answered += 1;
          const fits = compiled.check(data).length === 0;
          if (fits !== (otherwise(file, data) ?? valid)) wrong.push(`${file} | ${group.description} | ${description}: ${fits}`);
        }
      }
    }
    process.stdout.write(`${draft}: ${groups} groups accepted, ${answered} answers; refused ${JSON.stringify(refusals)}\n`);
    expect(wrong).toEqual([]);
    for (const reason of Object.keys(refusals)) expect(page).toContain(reason);
    // What is supported does not quietly become less.
    expect(groups).toBeGreaterThanOrEqual(accepted);
  });
});
