import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { Failure } from '../../connect/index.ts';
import type { V1 } from '../v1.ts';
import { modernHost, type ToolAnswer, textOf } from './hosts.ts';
import type { Cast } from './opening.ts';
import type { Stage } from './stage.ts';
import { expect, expectEqual, Surprise, type Transcript } from './transcript.ts';

const approval = z.looseObject({ id: z.string(), status: z.string(), digest: z.string(), session: z.string(), tool: z.string() });
type Approval = z.infer<typeof approval>;
const handle = z.looseObject({ id: z.string(), status: z.string() });

const payment = { invoice: 'INV-7', iban: 'DE02120300000000202051', amount: 600 };
const post = 'ledger__post_payment';

/** 600 waits for two people of finance, runs once, is replayed, and means nothing for other arguments. */
export async function playPayment(transcript: Transcript, stage: Stage, { task, olderTask, modern, older }: Cast): Promise<void> {
  transcript.chapter('A payment of 600');
  const [ana, bob, carl] = await Promise.all([stage.as('acme', 'ana'), stage.as('acme', 'bob'), stage.as('acme', 'carl')]);
  const calling = modern.call(post, payment);
  // Looked at by the steps below; until then an early end must not count as unhandled.
  calling.catch(() => undefined);

  const waiting = await transcript.step(
    'is paused: it waits for two people of finance',
    () => firstWaiting(bob, task.session, calling),
    ({ id }) => id,
  );
  await transcript.step('ana, who sponsors the task, cannot approve it', async () =>
    expectEqual(await codeOf(decide(ana, waiting)), 'approval.excluded', 'refusal'),
  );
  await transcript.step('bob approves; one voice is not enough', async () => expectEqual((await decide(bob, waiting)).status, 'pending', 'status'));
  await transcript.step('carl approves too', async () => {
    const { status } = await decide(carl, waiting);
    expect(status === 'approved' || status === 'used', 'approved', status);
  });
  const paid = await transcript.step('the waiting call runs and is answered', () => calling.then(succeeded), textOf);
  await transcript.step('the ledger holds exactly one payment', async () => expectEqual(await countPayments(stage), 1, 'payments'));

  transcript.chapter('The same again, and something else');
  await transcript.step('the same call is answered with the stored outcome, marked replayed', async () => {
    const again = succeeded(await modern.call(post, payment));
    expectEqual(again._meta?.['taskgate/replayed'], true, '_meta["taskgate/replayed"]');
    expectEqual(again.content, paid.content, 'the same content');
  });
  await transcript.step('and nothing ran: the ledger still holds one payment', async () => expectEqual(await countPayments(stage), 1, 'payments'));
  await transcript.step(
    'with another amount it is paused afresh',
    async () => {
      const answer = modern.call(post, { ...payment, amount: 601 });
      answer.catch(() => undefined);
      const fresh = await firstWaiting(bob, task.session, answer);
      expect(fresh.id !== waiting.id, 'another approval', fresh);
      expectEqual((await decide(bob, fresh, 'deny', 'the invoice says 600')).status, 'denied', 'status');
      const denied = await answer;
      expect(denied.isError === true && /denied/i.test(textOf(denied)), 'isError saying it was denied', denied);
      return `${fresh.id}, denied by bob`;
    },
    (words) => words,
  );
  await transcript.step(
    'a 2025-era host is handed an approval to wait with instead',
    async () => {
      const answer = await older.call(post, payment);
      const given = handle.safeParse(answer._meta?.['taskgate/approval']);
      expect(answer.isError === true && given.success && given.data.status === 'pending', 'isError with a pending _meta["taskgate/approval"]', answer);
      return given.data.id;
    },
    (id) => `${id} of ${olderTask.session}`,
  );
  await transcript.step(
    'policy denies a French account, with its reason',
    async () => {
      const answer = await modern.call(post, { invoice: 'INV-7', iban: 'FR1420041010050500013M02606', amount: 100 });
      expect(answer.isError === true && textOf(answer).includes('Invoices are paid to German accounts only'), 'isError with the policy’s reason', answer);
      return textOf(answer);
    },
    (text) => text,
  );
}

/** The one approval of this session that waits for `person`; gives up when the call ends without one. */
async function firstWaiting(person: V1, session: string, call: Promise<ToolAnswer>): Promise<Approval> {
  const over = call.then(
    (answer) => new Surprise('a call that waits', textOf(answer)),
    (error: unknown) => new Surprise('a call that waits', String(error)),
  );
  for (;;) {
    const found = (await person.list('/approvals', approval)).find((one) => one.session === session);
    if (found !== undefined) return found;
    const ended = await Promise.race([over, pause(50)]);
    if (ended instanceof Surprise) throw ended;
  }
}

async function decide(person: V1, { id, digest }: Approval, decision: 'approve' | 'deny' = 'approve', reason = 'as invoiced'): Promise<Approval> {
  return person.post(`/approvals/${id}/decisions`, { decision, digest, reason }, approval);
}

async function codeOf(act: Promise<unknown>): Promise<string | null> {
  try {
    throw new Surprise('a refusal', await act);
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

function succeeded(answer: ToolAnswer): ToolAnswer {
  expect(answer.isError !== true, 'a result', textOf(answer));
  return answer;
}

/** Looks by the front door: a session of another agent, for which dana answers, that may only list payments. */
async function countPayments(stage: Stage): Promise<number> {
  const host = await modernHost(await stage.open('acme', 'explorer', 'check-payments', {}));
  try {
    const { structuredContent, content } = succeeded(await host.call('ledger__list_payments', {}));
    const { payments } = z.looseObject({ payments: z.array(z.unknown()) }).parse(structuredContent ?? JSON.parse(content[0]?.text ?? ''));
    return payments.length;
  } finally {
    await host.close();
  }
}
