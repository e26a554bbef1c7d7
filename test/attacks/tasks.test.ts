import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { endSession } from '../../server/sessions/index.ts';
import { newApproval } from '../contract/samples.ts';
import { nextPending, vote } from '../support/approvals.ts';
import { legacyClient, newFolder, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { slowLedger } from '../support/slow-ledger.ts';
import { ask, callAsTask, getTask, overTask } from '../support/tasks.ts';

/** Ways to get at a task that is somebody else's, to have it run twice, or to have it run after all. */

let broker: TestBroker;
let ledger: ReturnType<typeof slowLedger>;
beforeAll(async () => {
  const dir = await newFolder();
  ledger = slowLedger(dir);
  const plenty = { per_second: 10_000, burst: 10_000 };
  const limits = { approvals: { session: 50, agent: 200, tenant: 500 }, refusals: { session: plenty, agent: plenty } };
  broker = await startTestBroker({ dir, holdMs: 100, taskAfterMs: 100, limits, ...ledger, change: roomy });
  ledger.release();
});
afterAll(() => broker.end());

/** Any number of calls and open tasks. */
function roomy(document: Record<string, unknown>): Record<string, unknown> {
  const changed = ledger.change?.(document) ?? document;
  if (changed['name'] !== 'match-invoices') return changed;
  const grants = (changed['grants'] as Record<string, unknown>[]).map(({ max_calls: _, ...grant }) => grant);
  return { ...changed, grants, budget: { calls: 10_000 } };
}

const end = (session: string) => endSession(broker.ports, 'acme', session, { status: 'ended', reason: 'over' }, 'test');
const pendingOf = async (session: string) => (await broker.ports.store.listApprovals('acme', { status: 'pending', session }, { after: null, limit: 1 }))[0];
const recordsOf = async (session: string) =>
  (await broker.ports.store.readRecords('acme', 0, 50_000)).map(({ body }) => body).filter((body) => body.session === session);
let amount = 600;
const another = () => {
  amount += 1;
  return payment(amount);
};

describe('a task id', () => {
  it.each(['tasks/get', 'tasks/update', 'tasks/cancel'])('of another session is answered by %s like one that was never made', async (method) => {
    const [mine, other, theirs] = [await broker.open({}), await broker.open({}), await broker.open({ tenant: 'globex' })];
    const { taskId } = await callAsTask(mine, another());
    const [name, seal] = taskId.split('.') as [string, string];
    const never = `apr_AAAAAAAAAAAAAAAAAAAAAA.${seal}`;
    const unsealed = [
      name,
      `${name}.`,
      `${name}.${'A'.repeat(43)}`,
      `${name}.${seal}A`,
      `dsp_${name.slice(4)}.${seal}`,
      `tld_e30.${seal}`,
      '',
      '../x',
      'apr_',
      never,
    ];
    const inputResponses = {};
    const answerOf = async (task: Task, id: string) => {
      const { error, http } = await ask(task, method, { taskId: id, inputResponses });
      return { error, http };
    };
    const unknown = await answerOf(mine, never);
    expect(unknown).toMatchObject({ error: { code: -32602, message: expect.stringContaining('not found') } });
    for (const id of unsealed.filter((id) => id !== '')) expect(await answerOf(mine, id), id).toEqual(unknown);
    for (const task of [other, theirs]) expect(await answerOf(task, taskId)).toEqual(unknown);
    expect(await getTask(mine, taskId)).toMatchObject({ status: 'working' });
    for (const task of [mine, other]) await end(task.session);
  });

  it('opens nothing once its session has ended, nor before it was made anybody’s', async () => {
    const task = await broker.open({});
    const { taskId } = await callAsTask(task, another());
    await end(task.session);
    for (const method of ['tasks/get', 'tasks/cancel']) expect((await ask(task, method, { taskId })).http).toBe(401);
    const next = await broker.open({});
    expect((await ask(next, 'tasks/get', { taskId })).error).toMatchObject({ code: -32602 });
    await end(next.session);
  });

  it('is neither its approval’s nor its call’s: an id of either from elsewhere names no task', async () => {
    const task = await broker.open({});
    await callAsTask(task, another());
    const approval = await pendingOf(task.session);
    await callAsTask(task, payment(10));
    const [dispatch] = await broker.ports.store.listDispatches('acme', task.session, 1);
    for (const taskId of [approval?.id, dispatch?.id]) expect((await ask(task, 'tasks/get', { taskId })).error).toMatchObject({ code: -32602 });
    await end(task.session);
  });

  it('is not given to what people are asked about the task itself, behind which there is no call', async () => {
    const task = await broker.open({});
    await broker.ports.store.openApproval(
      newApproval({
        tenant: 'acme',
        session: task.session,
        agent: 'invoice-matcher',
        tool: 'request_access',
        createdAt: Date.now(),
        expiresAt: Date.now() + 60_000,
      }),
      { session: 50, agent: 200, tenant: 500 },
      { type: 'approval.requested', tenant: 'acme', at: Date.now() },
    );
    const client = await legacyClient(task);
    expect((await client.experimental.tasks.listTasks()).tasks).toEqual([]);
    await client.close();
    await end(task.session);
  });

  it('of a call that was answered in person is not made up afterwards: nothing of it is kept', async () => {
    const task = await broker.open({});
    expect(await callAsTask(task, payment(11))).toMatchObject({ resultType: 'complete' });
    const [dispatch] = await broker.ports.store.listDispatches('acme', task.session, 1);
    expect(await broker.ports.store.readDispatch('acme', dispatch?.id ?? '')).toMatchObject({ keptUntil: null, sealedOutcome: null });
    await end(task.session);
  });
});

describe('whoever polls', () => {
  it('a hundred times at once runs what was approved once, and no client’s answer approves it', async () => {
    const task = await broker.open({});
    const { taskId } = await callAsTask(task, another());
    const before = ledger.payments().length;
    await ask(task, 'tasks/update', { taskId, inputResponses: { decision: { action: 'accept', content: { approve: true } } } });
    expect(await getTask(task, taskId)).toMatchObject({ status: 'working' });
    const approval = await pendingOf(task.session);
    if (!approval) throw new Error('nothing waits');
    for (const name of ['bob', 'carl']) await vote(broker, name, approval, 'approve');
    // More than a session's share: those are told to come back later, and nothing else.
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(task, 'tasks/get', { taskId })));
    expect(answers.every(({ http, result }) => http === 429 || (http === 200 && result?.status !== 'cancelled'))).toBe(true);
    expect(answers.some(({ http }) => http === 429)).toBe(true);
    expect(await overTask(task, taskId)).toMatchObject({ status: 'completed' });
    expect(ledger.payments()).toHaveLength(before + 1);
    expect((await recordsOf(task.session)).filter(({ type }) => type === 'call.dispatched')).toHaveLength(1);
    await end(task.session);
  });
});

describe('cancelling while people approve and the agent polls and retries', () => {
  it('has exactly one outcome, whatever comes first', async () => {
    const step = fc.constantFrom('cancel', 'poll', 'retry', 'vote', 'vote', 'tick');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), fc.boolean(), async (steps, atOnce) => {
        const task = await broker.open({});
        const call = another();
        const { taskId } = await callAsTask(task, call);
        const approval = await pendingOf(task.session);
        if (!approval) throw new Error('nothing waits');
        const before = ledger.payments().length;
        const voters = ['bob', 'carl'];
        const act = async (what: string): Promise<void> => {
          const voter = what === 'vote' ? voters.shift() : undefined;
          if (voter) await vote(broker, voter, approval, 'approve');
          if (what === 'cancel' || what === 'poll') await ask(task, what === 'cancel' ? 'tasks/cancel' : 'tasks/get', { taskId });
          if (what === 'retry') await ask(task, 'tools/call', call);
          if (what === 'tick') await new Promise((resolve) => setImmediate(resolve));
        };
        if (atOnce) await Promise.all(steps.map(act));
        else for (const what of steps) await act(what);

        // What still waits is ended, so that there is an outcome to look at.
        await ask(task, 'tasks/cancel', { taskId });
        const ended = await overTask(task, taskId);
        for (let look = 0; look < 2; look++) expect((await getTask(task, taskId)).status).toBe(ended.status);
        const row = await broker.ports.store.readApproval('acme', approval.id);
        const ran = (await recordsOf(task.session)).filter(({ type, approval: of }) => type === 'call.dispatched' && of === approval.id).length;
        expect(ran).toBe(row?.status === 'used' ? 1 : 0);
        expect(ledger.payments().length - before).toBeLessThanOrEqual(1);
        if (ended.status === 'completed') expect(row).toMatchObject({ status: 'used', outcome: 'completed' });
        else expect(['cancelled', 'used']).toContain(row?.status);
        if (row?.status === 'cancelled') expect(ended.status).toBe('cancelled');
        await end(task.session);
      }),
      {
        numRuns: 25,
        examples: [
          [['vote', 'vote', 'poll', 'cancel'], false],
          [['vote', 'vote', 'poll', 'cancel'], true],
          [['cancel', 'vote', 'vote'], true],
        ],
      },
    );
  }, 120_000);

  it('leaves a call that was cancelled before its approval nothing to run on', async () => {
    const task = await broker.open({});
    const { taskId } = await callAsTask(task, another());
    const approval = await nextPending(broker);
    await ask(task, 'tasks/cancel', { taskId });
    for (const name of ['bob', 'carl']) expect((await vote(broker, name, approval, 'approve')).status).toBe(409);
    expect(await getTask(task, taskId)).toMatchObject({ status: 'cancelled' });
    expect((await recordsOf(task.session)).find(({ type }) => type === 'approval.cancelled')).toMatchObject({ code: 'client' });
    await end(task.session);
  });
});
