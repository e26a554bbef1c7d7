import { z } from 'zod';
import { tenThousandths } from '../../tools/index.ts';
import { assertion, requestOptions } from '../approvals/index.ts';
import {
  type BreakGlassRefusal,
  type BreakGlassRefusalCode,
  type BreakGlassRequest,
  breakGlassDetail,
  breakGlassFields,
  breakGlassStatus,
  breakGlassSummary,
  challengeStep,
  confirmBreakGlass,
  confirming,
  endBreakGlass,
  maySee,
  requestBreakGlass,
  requesting,
  reviewBreakGlass,
  seeBreakGlass,
  summaryOf,
  toRotate,
  usualCalls,
  usualLifetimeMs,
} from '../break-glass/index.ts';
import { scanPages } from '../store/index.ts';
import { type Endpoint, endpoint, paged, paging } from './endpoint.ts';
import { type Problem, type ProblemStatus, problem } from './problem.ts';

const statusOf = {
  'break_glass.not_found': 404,
  'break_glass.not_offered': 403,
  'break_glass.not_in_group': 403,
  'break_glass.login_not_fresh': 403,
  'break_glass.passkey_refused': 422,
  'break_glass.no_passkey': 409,
  'break_glass.no_session': 422,
  'break_glass.tool_not_granted': 422,
  'break_glass.involved': 403,
  'break_glass.too_recent': 403,
  'break_glass.same_person': 403,
  'break_glass.already_there': 409,
  'break_glass.review_overdue': 409,
  'break_glass.no_channel': 409,
  'break_glass.not_requested': 409,
  'break_glass.not_open': 409,
  'break_glass.not_ended': 409,
  'break_glass.not_rotated': 409,
  'break_glass.took_part': 403,
  'break_glass.not_reviewer': 403,
  stale: 409,
} as const satisfies Readonly<Record<BreakGlassRefusalCode, ProblemStatus>>;
const problemOf = ({ code, message, remedy }: BreakGlassRefusal): Problem => problem(statusOf[code], code, message, remedy);

const { session, tools, incident, sentence, seconds, calls, amount, reason } = breakGlassFields;
const request = z.strictObject({
  session,
  tools: tools.describe('Brokered names, all granted to the session'),
  incident,
  reason: sentence,
  lifetime: seconds.default(usualLifetimeMs / 1000).describe('Seconds from the confirmation on; there is no renewal'),
  calls: calls.default(usualCalls),
  amount: amount.default(0).describe('What its calls may move in all; a call that moves an amount needs it'),
});

const signed = assertion.optional().describe('What your passkey signed for a challenge of exactly this; owed when your login is older than five minutes');
const challenge = z.strictObject({ options: requestOptions.describe('For `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get`') });
const askedFor = (body: z.output<typeof request>): BreakGlassRequest => ({
  ...body,
  lifetime: body.lifetime * 1000,
  amount: tenThousandths(body.amount) ?? 0,
});

export const breakGlassEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/break-glass',
    summary: 'Break-glass of the tenant, youngest first',
    access: 'named',
    query: z.strictObject({ ...paging, status: breakGlassStatus.optional() }),
    answer: paged(breakGlassSummary),
    async run(ports, asker, { query }) {
      if (!maySee(asker)) return { items: [], next: null };
      const at = ports.clock();
      const shown = (row: Parameters<typeof summaryOf>[0]) => {
        const summary = summaryOf(row, at);
        return query.status === undefined || summary.status === query.status ? summary : null;
      };
      return scanPages((page) => ports.store.listBreakGlass(asker.person.tenant, {}, page), { after: query.cursor ?? null, limit: query.limit }, shown);
    },
  }),
  endpoint({
    method: 'post',
    path: '/break-glass',
    summary: 'Ask to open named tools to a session in an emergency; nothing is open until a second person confirms',
    access: 'named',
    body: request.extend({ assertion: signed }),
    answer: breakGlassSummary,
    status: 201,
    async run(ports, asker, { body: { assertion, ...body } }) {
      const answer = await requestBreakGlass(ports, asker, askedFor(body), assertion);
      return answer.ok ? summaryOf(answer.row, ports.clock()) : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/break-glass/challenge',
    summary: 'What your passkey has to sign to ask for exactly this, in place of a fresh login; good once, for five minutes',
    access: 'named',
    body: request,
    answer: challenge,
    async run(ports, asker, { body }) {
      const answer = await challengeStep(ports, asker, requesting(askedFor(body)));
      return answer.ok ? { options: answer.options } : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/break-glass/{id}/challenge',
    summary: 'What your passkey has to sign to confirm exactly this, in place of a fresh login; good once, for five minutes',
    access: 'named',
    body: z.strictObject({}),
    answer: challenge,
    async run(ports, asker, { param }) {
      const row = await seeBreakGlass(ports, asker, param('id'));
      const answer = await challengeStep(ports, asker, row && confirming(row));
      return answer.ok ? { options: answer.options } : problemOf(answer);
    },
  }),
  endpoint({
    method: 'get',
    path: '/break-glass/{id}',
    summary: 'One break-glass, with what has to be rotated before its review',
    access: 'named',
    answer: breakGlassDetail,
    async run(ports, asker, { param }) {
      const row = await seeBreakGlass(ports, asker, param('id'));
      if (!row) return problem(404, 'break_glass.not_found', 'There is no such break-glass.', 'List those of your tenant.');
      return { ...summaryOf(row, ports.clock()), to_rotate: await toRotate(ports, row) };
    },
  }),
  endpoint({
    method: 'post',
    path: '/break-glass/{id}/confirm',
    summary: 'Confirm, as the second person, exactly what was asked for: from then on it is active',
    access: 'named',
    body: z.strictObject({ assertion: signed }),
    answer: breakGlassSummary,
    async run(ports, asker, { param, body }) {
      const answer = await confirmBreakGlass(ports, asker, param('id'), body.assertion);
      return answer.ok ? summaryOf(answer.row, ports.clock()) : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/break-glass/{id}/end',
    summary: 'End it with its session, or take it back before it was confirmed',
    access: 'named',
    body: z.strictObject({ reason }),
    answer: breakGlassSummary,
    async run(ports, asker, { param, body }) {
      const answer = await endBreakGlass(ports, asker, param('id'), body.reason);
      return answer.ok ? summaryOf(answer.row, ports.clock()) : problemOf(answer);
    },
  }),
  endpoint({
    method: 'post',
    path: '/break-glass/{id}/review',
    summary: 'Close its review, as somebody who took no part, once what it touched was rotated',
    access: 'named',
    body: z.strictObject({ finding: sentence }),
    answer: breakGlassSummary,
    async run(ports, asker, { param, body }) {
      const answer = await reviewBreakGlass(ports, asker, param('id'), body.finding);
      return answer.ok ? summaryOf(answer.row, ports.clock()) : problemOf(answer);
    },
  }),
];
