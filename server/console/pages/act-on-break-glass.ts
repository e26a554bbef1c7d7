import { z } from 'zod';
import { tenThousandths } from '../../../tools/index.ts';
import { type BreakGlassAnswer, breakGlassFields, confirmBreakGlass, endBreakGlass, requestBreakGlass, reviewBreakGlass } from '../../break-glass/index.ts';
import type { Notice } from '../notices.ts';
import { action, type Done, notHere, type Refused } from '../page.ts';

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
    fields: request,
    async run(ports, visitor, { values: { minutes, ...values } }) {
      const asked = { ...values, lifetime: minutes * 1000, amount: tenThousandths(values.amount) ?? 0 };
      return doneOr(await requestBreakGlass(ports, visitor, asked), 'glass-asked');
    },
  }),
  action({
    path: '/break-glass/:id/confirm',
    access: 'named',
    fields: z.object({}),
    run: async (ports, visitor, { param }) => doneOr(await confirmBreakGlass(ports, visitor, param('id')), 'glass-confirmed'),
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
