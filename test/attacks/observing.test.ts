import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { RecordBody } from '../../server/audit/record.ts';
import { brokerCall, type CallAnswer, type CallRequest, enterSession, isRefusal } from '../../server/call/index.ts';
import { banner } from '../../server/cli/banner.ts';
import { endOfDay } from '../../server/documents/durations.ts';
import { readObserved } from '../../server/documents/index.ts';
import type { Caller } from '../../server/identity/caller.ts';
import type { Ports } from '../../server/ports.ts';
import { runCli } from '../cli/run-cli.ts';
import { approveByTwo, nextPending, vote } from '../support/approvals.ts';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { mayListPayments, textOf } from '../support/ledger.ts';

/** What observing a use case lets go, and what somebody who counts on it would try. */

const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
let useCase: Record<string, unknown>;
let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({
    holdMs: 10_000,
    change(document) {
      if (document['name'] !== 'match-invoices' || document['tenant'] !== 'acme') return document;
      useCase = { ...mayListPayments(document), lifetime: { default: '60h', longest: '60h' } };
      return useCase;
    },
  });
});
afterAll(() => broker.end());

const files = (more: Record<string, unknown>) => ({ files: [{ source: 'use-case.yaml', text: stringify({ ...useCase, ...more }) }] });
const apply = (more: Record<string, unknown>) => byTwoAdmins(broker, 'POST', '/documents/apply', files(more));
const begin = async () => expect((await apply({ observe_until: until })).status).toBe(200);
const end = async () => expect((await apply({})).status).toBe(200);
async function recordsOf(session: string): Promise<readonly RecordBody[]> {
  const all = await broker.ports.store.readRecords('acme', 0, 10_000);
  return all.map(({ body }) => body).filter((body) => body.session === session);
}
const french = (amount: number) => payment(amount, { iban: 'FR7630006000011234567890189' });

describe('while a use case is observed', () => {
  it('calls that policy of the tenant denies or asks a human for run, with what would have been on the record', async () => {
    await begin();
    const task = await broker.open({});
    const client = await modernClient(task);
    expect((await client.callTool(french(20))).isError).not.toBe(true);
    expect((await client.callTool(payment(600))).isError).not.toBe(true);
    await client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
    await client.close();
    const records = await recordsOf(task.session);
    expect(records.filter(({ type }) => type.startsWith('approval.'))).toEqual([]);
    expect(records.every(({ observed_until: day }) => day === until)).toBe(true);
    const dispatched = records.filter(({ type }) => type === 'call.dispatched');
    expect(dispatched.map(({ decision, policies, would }) => ({ decision, policies, would }))).toEqual([
      {
        decision: 'allow',
        policies: ['platform/observed'],
        would: { decision: 'deny', policies: ['acme/pay-german-accounts-only'], requirements: [], reasons: ['Invoices are paid to German accounts only'] },
      },
      {
        decision: 'allow',
        policies: ['platform/observed'],
        would: {
          decision: 'require',
          policies: ['acme/payments-need-finance'],
          requirements: ['approval:finance:2'],
          reasons: ['Payments above 500 need two people from finance'],
        },
      },
      { decision: 'allow', policies: ['acme/matcher-may-use-its-grants'], would: undefined },
    ]);
    expect(broker.logged()).toContain('a session opened under observation');
    const { body } = await broker.v1(await broker.person('acme', 'dana'), 'GET', `/sessions/${task.session}`);
    expect(body['observed_until']).toBe(until);
  });

  it('grants, constraints, counters, schemas and the platform stay as they are, and refusals say that it is observed', async () => {
    await begin();
    const task = await broker.open({});
    const client = await modernClient(task);
    expect(textOf(await client.callTool(payment(6000)))).toContain('may not call');
    expect(textOf(await client.callTool(payment(20, { invoice: 'INV-8' })))).toContain('may not call');
    expect(textOf(await client.callTool(payment(20, { extra: 1 })))).toContain('do not fit');
    await expect(client.callTool({ name: 'ledger__get_invoice_', arguments: {} })).rejects.toThrow('Unknown tool');
    for (const amount of [20, 21, 22]) expect((await client.callTool(french(amount))).isError).not.toBe(true);
    expect(textOf(await client.callTool(payment(30)))).toContain('used up');
    await client.close();
    const refused = (await recordsOf(task.session)).filter(({ type }) => type === 'call.refused');
    expect(refused.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['arguments.not_granted', 'arguments.invalid', 'tool.not_granted', 'budget.exhausted']),
    );
    expect(refused.every(({ observed_until: day, use_case: name }) => day === until && name === 'match-invoices')).toBe(true);
  });

  it('a payment after reading what may not be sent there is denied by the platform, with no would-be beside it', async () => {
    await begin();
    const task = await broker.open({});
    const client = await modernClient(task);
    await client.callTool({ name: 'mail__read_contract', arguments: { id: 'C-1' } });
    expect(textOf(await client.callTool(french(600)))).toContain('Policy forbids this call. This task has read data more sensitive than this tool may be sent');
    await client.close();
    const [refused] = (await recordsOf(task.session)).filter(({ type }) => type === 'call.refused');
    expect(refused).toMatchObject({ code: 'policy.forbidden', policies: ['platform/sink'], observed_until: until });
    expect(refused).not.toHaveProperty('would');
  });

  it('a call that runs into the end of it ends with it: the same session, its next call', async () => {
    await begin();
    const client = await modernClient(await broker.open({}));
    expect((await client.callTool(french(20))).isError).not.toBe(true);
    await end();
    expect(textOf(await client.callTool(french(21)))).toContain('German accounts only');
    await client.close();
  });
});

describe('the end of its last day', () => {
  const request = (amount: number): CallRequest => ({
    ...{ kind: 'tool' as const, tool: 'ledger__post_payment', arguments: french(amount).arguments, nonce: randomBytes(4).toString('hex') },
    ...{ resumes: null, traceparent: null },
  });
  const io = {
    signal: new AbortController().signal,
    holdMs: 0,
    rung: 'handle' as const,
    onProgress: () => undefined,
    aside: <T>(wait: () => Promise<T>) => wait(),
  };
  async function callAt(clock: () => number, ports: Partial<Ports> = {}): Promise<CallAnswer> {
    const { session } = await broker.open({});
    const row = (await broker.ports.store.readSession('acme', session))?.session;
    if (!row) throw new Error('no session');
    const caller = {
      ...{ tenant: 'acme', agent: row.agent, session, sponsor: row.sponsor, taskSha256: row.taskSha256, tokenId: 'tok_1' },
      bound: false,
    } as unknown as Caller;
    const all = { ...broker.ports, ...ports, clock };
    const entered = await enterSession(all, caller);
    if (isRefusal(entered)) throw new Error(entered.message);
    return brokerCall(all, entered, request(20), io);
  }

  it('is midnight UTC: a call just before runs, one at it is judged by policy', async () => {
    await begin();
    expect(await callAt(() => endOfDay(until) - 1)).toHaveProperty('result');
    expect(await callAt(() => endOfDay(until))).toMatchObject({ refused: 'policy.forbidden', policies: ['acme/pay-german-accounts-only'] });
  });

  it('also ends a call that was judged before it and is claimed after', async () => {
    await begin();
    let now = endOfDay(until) - 1;
    const { upstreams } = broker.ports;
    const slow: Ports['upstreams'] = {
      ...upstreams,
      connect: (...target) => {
        now = endOfDay(until);
        return upstreams.connect(...target);
      },
    };
    expect(await callAt(() => now, { upstreams: slow })).toMatchObject({ refused: 'policy.forbidden' });
  });
});

describe('what people answered', () => {
  it('stays answered: a call that a reviewer denied does not run because its use case is observed since', async () => {
    await end();
    const client = await modernClient(await broker.open({}));
    const call = client.callTool(payment(700));
    await vote(broker, 'bob', await nextPending(broker), 'deny', 'not this one');
    expect((await call).isError).toBe(true);
    await begin();
    const again = await client.callTool(payment(700));
    expect(again.isError).toBe(true);
    expect(textOf(again)).toContain('not this one');
    expect((await client.callTool(payment(701))).isError).not.toBe(true);
    await client.close();
  });

  it('is waited for when they were asked before, and runs once', async () => {
    await end();
    const task = await broker.open({});
    const client = await modernClient(task);
    const call = client.callTool(payment(702));
    const approval = await nextPending(broker);
    await begin();
    const other = await modernClient(task);
    const second = other.callTool(payment(702));
    await approveByTwo(broker, approval);
    const answers = await Promise.all([call, second]);
    expect(answers.filter((answer) => !answer.isError && !JSON.stringify(answer).includes('taskgate/replayed'))).toHaveLength(1);
    const dispatched = (await recordsOf(task.session)).filter(({ type }) => type === 'call.dispatched');
    expect(dispatched).toHaveLength(1);
    await Promise.all([client.close(), other.close()]);
  });
});

describe('it is loud', () => {
  it('in doctor, in what serve says, in explain and in session show', async () => {
    await begin();
    const data = join(broker.dir, 'data');
    const env = { TASKGATE_URL: broker.url, TASKGATE_DATA: data, TASKGATE_TENANT: 'acme' };
    const { session } = await broker.open({});
    const [doctor] = await Promise.all([runCli(['doctor'], { env, cwd: broker.dir }), runCli(['login', '--as', 'dana'], { env })]);
    expect(doctor.stdout).toContain(`acme match-invoices: policy of the tenant is not enforced until ${until}`);
    expect((await runCli(['session', 'show', session], { env })).stdout).toMatch(new RegExp(`^OBSERVED +until ${until}`));
    const explained = await runCli(['policy', 'explain', 'ledger__post_payment', '--args', JSON.stringify(payment(600).arguments)], { env });
    expect(explained.stdout).toContain(`until ${until} this is only recorded for sessions of match-invoices`);
    const observed = await readObserved(broker.ports.store, Date.now());
    const said = banner({ url: broker.url, data, samples: false, unconfined: [], plan: null, waiting: [], observed });
    expect(said).toContain(`acme match-invoices (dana) until ${until}: policy of the tenant is recorded and NOT enforced`);
  });
});

describe('nobody but an admin can turn it on', () => {
  it.each(['ana', 'bob'])('%s cannot', async (name) => {
    await end();
    expect((await broker.v1(await broker.person('acme', name), 'POST', '/documents/apply', files({ observe_until: until }))).status).toBe(403);
  });

  it('an agent cannot: not with its token, not by what it says of its task or its call', async () => {
    await end();
    const task = await broker.open({ objective: `observe_until: ${until}` });
    expect((await broker.v1(task.accessToken, 'POST', '/documents/apply', files({ observe_until: until }))).status).toBe(401);
    const client = await modernClient(task);
    const answer = await client.callTool({ ...french(20), _meta: { 'taskgate/observed': true, observed_until: until, 'taskgate/would': {} } });
    expect(answer.isError).toBe(true);
    expect(textOf(await client.callTool(payment(20, { observe_until: until })))).toContain('do not fit');
    await client.close();
    expect((await recordsOf(task.session)).filter((body) => 'observed_until' in body)).toEqual([]);
  });

  it('and an agent is not told of it', async () => {
    await begin();
    const client = await modernClient(await broker.open({}));
    expect(JSON.stringify([client.getInstructions(), await client.listTools(), await client.callTool(french(20))])).not.toMatch(/observ|enforc/i);
    await client.close();
  });
});
