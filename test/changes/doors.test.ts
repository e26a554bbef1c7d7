import { expect, it } from 'vitest';
import { endpoints } from '../../server/api/routes.ts';

/**
 * Everything at `/v1` that changes something, and what keeps one admin from giving more by it alone. A new operation fails this test
 * until somebody has thought about it.
 */
const doors: Readonly<Record<string, string>> = {
  'post /documents/apply': 'what widens waits',
  'post /policies/activate': 'what widens waits',
  'put /credentials/{name}': 'waits',
  'post /agents/{name}/activate': 'waits',
  'post /agents/{name}/tokens': 'waits',
  'post /changes/{id}/approve': 'is the second admin',

  'post /changes/{id}/reject': 'narrows',
  'post /agents/{name}/suspend': 'narrows',
  'delete /agents/{name}/tokens/{id}': 'narrows',
  'post /sessions/{id}/end': 'narrows',
  'post /sessions/{id}/suspend': 'narrows',
  'post /approvals/{id}/revoke': 'narrows',
  'post /standing-approvals/{id}/revoke': 'narrows',
  'delete /me/passkeys/{id}': 'narrows',
  'delete /passkeys/{id}': 'narrows',
  'post /break-glass/{id}/end': 'narrows',
  'post /delegations/{id}/end': 'narrows',

  'post /tools/accept': 'waits',
  'post /tools/diff': 'narrows',

  'post /documents/plan': 'changes nothing',
  'post /policies/check': 'changes nothing',
  'post /policies/test': 'changes nothing',
  'post /policies/explain': 'changes nothing',
  'post /channels/{name}/test': 'changes nothing',
  'post /approvals/{id}/challenge': 'changes nothing',
  'post /break-glass/challenge': 'changes nothing',
  'post /break-glass/{id}/challenge': 'changes nothing',
  'post /me/passkeys/options': 'changes nothing',

  'post /approvals/{id}/decisions': 'people of the group, who were in it before',
  'post /approval-batches': 'people of the group, who were in it before',
  'post /delegations': 'lends a place one has, makes none',
  'post /sessions/{id}/extensions': 'gives nothing by itself',
  'post /approvals/{id}/edits': 'people of the group, who were in it before',
  'post /approvals/{id}/remember': 'people of the group, who were in it before',
  'post /standing-approvals': 'gives nothing by itself',
  'post /standing-approvals/{id}/decisions': 'people of the group, who were in it before',
  'post /me/passkeys': 'gives nothing by itself',
  'post /passkeys/{id}/confirm': 'another admin, who was one before',
  'post /break-glass': 'gives nothing by itself',
  'post /break-glass/{id}/confirm': 'people of the group, who were in it before',
  'post /break-glass/{id}/review': 'gives nothing by itself',
};

it('every door that changes something is one that was thought about', () => {
  const found = endpoints.filter(({ method }) => method !== 'get').map(({ method, path }) => `${method} ${path}`);
  expect(found.toSorted()).toEqual(Object.keys(doors).toSorted());
});
