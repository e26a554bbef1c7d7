import { expect, it } from 'vitest';
import { soberHints, toolManifest } from '../../tools/index.ts';

const pay = toolManifest.parse({ name: 'pay', effect: 'destructive', reaches: 'external', returns: { sensitivity: 'internal' } });
const look = toolManifest.parse({ name: 'look', effect: 'read', reaches: 'tenant', returns: { sensitivity: 'internal' } });

it.each([
  [pay, { readOnlyHint: true, destructiveHint: false, openWorldHint: false }, { readOnlyHint: false, destructiveHint: true, openWorldHint: true }],
  [pay, { title: 'Pay', idempotentHint: true }, { title: 'Pay', idempotentHint: true }],
  [look, { readOnlyHint: true, openWorldHint: false }, { readOnlyHint: true, openWorldHint: false }],
  // What makes more of it than its labels is let stand: a host then asks once too often.
  [look, { readOnlyHint: false, destructiveHint: true, openWorldHint: true }, { readOnlyHint: false, destructiveHint: true, openWorldHint: true }],
])('no hint makes less of a tool than its labels: %#', (manifest, annotations, shown) => {
  expect(soberHints(manifest, annotations)).toEqual(shown);
});
