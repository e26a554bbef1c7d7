import { z } from 'zod';
import { tenThousandths } from '../../../tools/index.ts';
import { assertion } from '../../approvals/index.ts';
import {
  type BreakGlassAnswer,
  type BreakGlassRequest,
  breakGlassFields,
  challengeStep,
  confirmBreakGlass,
  confirming,
  endBreakGlass,
  requestBreakGlass,
  requesting,
  reviewBreakGlass,
  seeBreakGlass,
} from '../../break-glass/index.ts';
import type { Notice } from '../notices.ts';
import { type Answered, action, type Done, notHere, type Refused } from '../page.ts';
import { readJsonField } from '../read-json-field.ts';

const { session, tools, incident, sentence, seconds, calls, amount, reason } = breakGlassFields;
const number = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,4})?$/)
  .transform(Number);

const request = z.object({
  session: z.string().trim().pipe(session),
  tools: z
    .string()
    .max(400)
    .transform((text) => text.split(/[\s,]+/).filter((one) => one !== ''))
    .pipe(tools),
  incident: z.string().trim().pipe(incident),
  reason: sentence,
  minutes: number.transform((minutes) => minutes * 60).pipe(seconds),
  calls: number.pipe(calls),
  amount: number.pipe(amount),
});

const signed = readJsonField(assertion).optional();
const askedFor = ({ minutes, ...asked }: z.output<typeof request>): BreakGlassRequest => ({
  ...asked,
  lifetime: minutes * 1000,
  amount: tenThousandths(asked.amount) ?? 0,
});

function challengedOr(answer: Awaited<ReturnType<typeof challengeStep>>): Answered | Refused {
  if (answer.ok) return { json: { get: answer.options } };
  const { code, message, remedy } = answer;
  return { refused: forbidden.has(code) ? 403 : 409, code, message, remedy };
}

function doneOr(answer: BreakGlassAnswer, say: Notice): Done | Refused {
  if (answer.ok) return { to: `/console/break-glass/${answer.row.id}`, say };
  const { code, message, remedy } = answer;
  if (code === 'break_glass.not_found') return notHere();
  return { refused: forbidden.has(code) ? 403 : 409, code, message, remedy };
}
const forbidden: ReadonlySet<string> = new Set([
  'break_glass.not_offered',
  'break_glass.not_in_group',
  'break_glass.login_not_fresh',
  'break_glass.involved',
  'break_glass.too_recent',
  'break_glass.same_person',
  'break_glass.took_part',
  'break_glass.not_reviewer',
]);

export const breakGlassActions = [
  action({
    path: '/break-glass',
    access: 'named',
    fields: request.extend({ assertion: signed }),
    async run(ports, visitor, { values: { assertion, ...values } }) {
      return doneOr(await requestBreakGlass(ports, visitor, askedFor(values), assertion), 'glass-asked');
    },
  }),
  action({
    path: '/break-glass/:id/confirm',
    access: 'named',
    fields: z.object({ assertion: signed }),
    run: async (ports, visitor, { param, values }) => doneOr(await confirmBreakGlass(ports, visitor, param('id'), values.assertion), 'glass-confirmed'),
  }),
  action({
    path: '/break-glass/challenge',
    access: 'named',
    fields: request,
    run: async (ports, visitor, { values }) => challengedOr(await challengeStep(ports, visitor, requesting(askedFor(values)))),
  }),
  action({
    path: '/break-glass/:id/challenge',
    access: 'named',
    fields: z.object({}),
    async run(ports, visitor, { param }) {
      const row = await seeBreakGlass(ports, visitor, param('id'));
      return challengedOr(await challengeStep(ports, visitor, row && confirming(row)));
    },
  }),
  action({
    path: '/break-glass/:id/end',
    access: 'named',
    fields: z.object({ reason }),
    run: async (ports, visitor, { param, values }) => doneOr(await endBreakGlass(ports, visitor, param('id'), values.reason), 'glass-ended'),
  }),
  action({
    path: '/break-glass/:id/review',
    access: 'named',
    fields: z.object({ finding: sentence }),
    run: async (ports, visitor, { param, values }) => doneOr(await reviewBreakGlass(ports, visitor, param('id'), values.finding), 'glass-reviewed'),
  }),
];
