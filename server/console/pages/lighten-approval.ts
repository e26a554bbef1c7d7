import { z } from 'zod';
import { rememberAnswer, showApproval } from '../../approvals/index.ts';
import { editApproval } from '../../call/index.ts';
import { narrowedArguments } from '../approval/narrow-form.ts';
import { action, notHere, type Refused } from '../page.ts';
import { refusedBy } from './refused-by.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const badForm = (message: string, remedy: string): Refused => ({ refused: 422, code: 'form.invalid', message, remedy });

const constraintsOf = z.record(z.string(), z.record(z.string(), z.unknown()));

/** What makes people be asked for less, or less often. */
export const lightenActions = [
  action({
    path: '/approvals/:id/narrow',
    access: 'named',
    fields: z.object({ digest, reason: z.string().max(2_000).default('') }).catchall(z.string()),
    async run(ports, visitor, { param, values }) {
      const shown = await showApproval(ports, visitor.person, param('id'));
      if (!shown.ok || shown.approval.proposal === null) return notHere();
      const narrowed = narrowedArguments(shown.approval.proposal, values);
      if (narrowed === null) return badForm('A value cannot be read, so nothing was changed.', 'Write numbers, lists and records as JSON.');
      const answer = await editApproval(ports, visitor.person, { approval: param('id'), digest: values.digest, arguments: narrowed, reason: values.reason });
      return answer.ok ? { to: `/console/approvals/${answer.approval.id}`, say: 'narrowed' } : refusedBy(answer);
    },
  }),
  action({
    path: '/approvals/:id/remember',
    access: 'named',
    fields: z.object({ digest, constraints: z.string().max(10_000).default('') }),
    async run(ports, visitor, { param, values }) {
      const chosen = readConstraints(values.constraints);
      if (chosen === undefined)
        return badForm('The constraints cannot be read, so nothing is remembered.', 'Write them as JSON, such as {"amount": {"maximum": 100}}.');
      const answer = await rememberAnswer(ports, visitor.person, { approval: param('id'), digest: values.digest, arguments: chosen, maxCalls: null });
      if (!answer.ok) return refusedBy(answer);
      return { to: `/console/approvals/${param('id')}`, say: answer.standing.status === 'active' ? 'remembered' : 'remembering' };
    },
  }),
];

/** Null: exactly the call; undefined: not to be read. */
function readConstraints(text: string): z.infer<typeof constraintsOf> | null | undefined {
  if (text.trim() === '') return null;
  try {
    return constraintsOf.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
