import { z } from 'zod';
import {
  confirmPasskey,
  creationOptions,
  enrolPasskey,
  listPasskeys,
  offerEnrolment,
  type PasskeyRefusal,
  type PasskeyRefusalCode,
  passkeyName,
  passkeyView,
  registration,
  removePasskey,
} from '../approvals/passkeys/index.ts';
import { type Endpoint, endpoint, whole } from './endpoint.ts';
import { type Problem, type ProblemStatus, problem } from './problem.ts';

const statusOf = {
  'passkey.not_found': 404,
  'passkey.unavailable': 409,
  'passkey.not_enrolled': 422,
  'passkey.taken': 409,
  'passkey.too_many': 409,
  'passkey.own': 403,
  'passkey.too_recent': 403,
  'person.not_named': 403,
  'role.missing': 403,
  'login.not_fresh': 403,
} as const satisfies Readonly<Record<PasskeyRefusalCode, ProblemStatus>>;

const problemOf = ({ code, message, remedy }: PasskeyRefusal): Problem => problem(statusOf[code], code, message, remedy);
const fresh = 'Needs a login of the last five minutes';

export const passkeyEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/me/passkeys',
    summary: 'Your passkeys, removed ones included',
    access: 'named',
    answer: whole(passkeyView),
    run: async (ports, { person }) => ({ items: await listPasskeys(ports, person.tenant, person.id), next: null }),
  }),
  endpoint({
    method: 'post',
    path: '/me/passkeys/options',
    summary: `What your browser makes a new passkey by; good once, for five minutes. ${fresh}`,
    access: 'named',
    body: z.strictObject({}),
    answer: z.strictObject({ options: creationOptions.describe('For `PublicKeyCredential.parseCreationOptionsFromJSON` and `navigator.credentials.create`') }),
    async run(ports, asker) {
      const answer = await offerEnrolment(ports, asker);
      return answer.ok ? { options: answer.options } : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/me/passkeys',
    summary: `Enrol it; it signs once a second admin has confirmed it and a day has passed. Sent again it answers the same. ${fresh}`,
    access: 'named',
    body: z.strictObject({ name: passkeyName, credential: registration.describe('As `PublicKeyCredential.toJSON()` gives it') }),
    answer: passkeyView,
    async run(ports, asker, { body }) {
      const answer = await enrolPasskey(ports, asker, body);
      return answer.ok ? answer.passkey : problemOf(answer);
    },
  }),
  endpoint({
    method: 'delete',
    path: '/me/passkeys/{id}',
    summary: `Take a passkey of yours out of use, at once and for good. ${fresh}`,
    access: 'named',
    answer: passkeyView,
    async run(ports, { person, standing }, { param }) {
      const answer = await removePasskey(ports, { person, standing: { ...standing, roles: new Set() } }, param('id'));
      return answer.ok ? answer.passkey : problemOf(answer);
    },
  }),
  endpoint({
    method: 'get',
    path: '/passkeys',
    summary: 'The passkeys of the tenant, removed ones included',
    access: ['admin', 'auditor'],
    answer: whole(passkeyView),
    run: async (ports, { person }) => ({ items: await listPasskeys(ports, person.tenant, null), next: null }),
  }),
  endpoint({
    method: 'post',
    path: '/passkeys/{id}/confirm',
    summary: `Vouch for somebody else’s passkey: it signs from a day later on; again it changes nothing. ${fresh}`,
    access: ['admin'],
    answer: passkeyView,
    async run(ports, asker, { param }) {
      const answer = await confirmPasskey(ports, asker, param('id'));
      return answer.ok ? answer.passkey : problemOf(answer);
    },
  }),
  endpoint({
    method: 'delete',
    path: '/passkeys/{id}',
    summary: `Take anybody’s passkey out of use, at once and for good. ${fresh}`,
    access: ['admin'],
    answer: passkeyView,
    async run(ports, asker, { param }) {
      const answer = await removePasskey(ports, asker, param('id'));
      return answer.ok ? answer.passkey : problemOf(answer);
    },
  }),
];
