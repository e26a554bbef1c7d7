import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { documentKinds, documentsJsonSchema, loadPaths } from '../../server/documents/index.ts';
import { compileSchema } from '../../tools/index.ts';

describe('the JSON Schema for editors', () => {
  it('is current in docs/schema', async () => {
    expect(await readFile('docs/schema/taskgate.v1.json', 'utf8')).toBe(`${JSON.stringify(documentsJsonSchema(), null, 2)}\n`);
  });

  it('has every kind and takes every sample as it is written', async () => {
    const schema = documentsJsonSchema() as { $defs: Record<string, Record<string, unknown>> };
    expect(Object.keys(schema.$defs)).toEqual(Object.keys(documentKinds));
    const { documents } = await loadPaths(['policies', 'tools/registry']);
    for (const file of new Set(documents.map(({ source }) => source))) {
      for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
        const value: unknown = document.toJS();
        const kind = (value as { kind: string }).kind;
        const compiled = compileSchema(schema.$defs[kind] ?? {});
        if ('unsupported' in compiled) throw new Error(`${kind}: ${compiled.unsupported}`);
        expect(compiled.check(value), `${file} ${kind}`).toEqual([]);
        expect(compiled.check({ ...(value as object), surprise: 1 }), `${file} ${kind}`).not.toEqual([]);
      }
    }
  });
});
