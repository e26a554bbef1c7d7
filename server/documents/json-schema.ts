import { z } from 'zod';
import { documentKinds } from './kinds.ts';

/** One JSON Schema (2020-12) for every document kind, for editors; generated from the schemas that check documents. */
export function documentsJsonSchema(): object {
  const defs = Object.fromEntries(
    Object.entries(documentKinds).map(([kind, schema]) => {
      const { $schema: _, ...body } = z.toJSONSchema(schema, { io: 'input' });
      return [kind, body];
    }),
  );
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Taskgate documents, taskgate/v1',
    oneOf: Object.keys(documentKinds).map((kind) => ({ $ref: `#/$defs/${kind}` })),
    $defs: defs,
  };
}
