import { expect, it } from 'vitest';
import { waitsMs } from '../../server/changes/new-change.ts';
import { compareFields, fieldRules } from '../../server/documents/effects.ts';
import { tenantDocument } from '../../server/documents/kinds.ts';

const tenant = (wait?: string) =>
  tenantDocument.parse({ apiVersion: 'taskgate/v1', kind: 'Tenant', name: 'acme', ...(wait === undefined ? {} : { changes: { wait } }) });

it('a change waits seven days for a second admin, or as long as the tenant says, between an hour and thirty days', () => {
  const day = 86_400_000;
  expect([waitsMs(null), waitsMs(tenant()), waitsMs(tenant('36h')), waitsMs(tenant('30d'))]).toEqual([7 * day, 7 * day, 1.5 * day, 30 * day]);
  for (const wrong of ['59m', '31d', '0d', 'soon', '']) expect(() => tenant(wrong), wrong).toThrow();
});

it('to let changes wait longer is a widening itself, and so is to say nothing any more', () => {
  const effect = (before: string | undefined, after: string | undefined) =>
    compareFields(fieldRules.Tenant, { ...tenant(before) }, { ...tenant(after) }).map((one) => one.effect);
  expect([effect('1d', '2d'), effect('2d', '1d'), effect('1d', undefined)]).toEqual([['widens'], ['narrows'], ['widens']]);
});
