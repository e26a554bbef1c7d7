import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from '../../server/connect/session.ts';
import { newSecret, withChannels } from '../notifications/channels.ts';
import { type Hook, startHook } from '../notifications/receivers.ts';
import { modernClient, payment, startTestBroker, type TestBroker, type TestOptions } from '../support/broker.ts';
import { mayListPayments, paymentsOf, textOf } from '../support/ledger.ts';

const invoices = readFileSync(join(import.meta.dirname, '../../policies/tenants/acme/invoices.cedar'), 'utf8');
const marked = invoices.replace('@id("acme/payments-need-finance")', '@id("acme/payments-need-finance")\n@break_glass');

/** A second forbid asks the same people for more and is not marked; a third asks others. */
const unmarked = `@id("acme/large-payments-need-finance")
@reason("Payments above 2000 need two people from finance, in an emergency too")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when   { context.args.amount.greaterThan(decimal("2000.0")) }
unless { context.satisfied.contains("approval:finance:2") };

@id("acme/round-payments-need-legal")
@reason("A payment of 1500 needs legal")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when   { context.args.amount == decimal("1500.0") }
unless { context.satisfied.contains("approval:legal") };
`;
const cases = `- case: 3000 is asked by both
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 3000 } }
  expect: { decision: require, requirements: ["approval:finance:2"], policies: [acme/large-payments-need-finance, acme/payments-need-finance] }
- case: 1500 is asked of legal as well
  tool: ledger__post_payment
  facts: { args: { invoice: INV-7, iban: DE02120300000000202051, amount: 1500 } }
  expect: { decision: require, requirements: ["approval:finance:2", "approval:legal"] }
`;

const plenty = { per_second: 1_000, burst: 1_000 };
/** What these tests hold is not about rates. */
const limits = { refusals: { session: plenty, agent: plenty }, requests: { session: plenty, agent: plenty }, in_flight: { session: 200 }, people: plenty };

export interface Emergency {
  readonly broker: TestBroker;
  readonly hook: Hook;
  /** The first person asks. */
  ask(name: string, body: Record<string, unknown>): ReturnType<TestBroker['v1']>;
  post(name: string, id: string, verb: 'confirm' | 'end' | 'review', body?: object): ReturnType<TestBroker['v1']>;
  show(name: string, id: string): Promise<Record<string, unknown>>;
  /** Asked for by bob, confirmed by carl. */
  activate(session: string, more?: Record<string, unknown>): Promise<string>;
  pay(task: Task, amount: number, more?: Record<string, unknown>): Promise<string>;
  paid(task: Task): Promise<number[]>;
  end(): Promise<void>;
}

/** Acme with break-glass for its group `emergency` (ana, who sponsors, bob, carl, eve), told to a webhook; dana, admin, and fay, auditor, are not in it. */
export async function startEmergency(options: TestOptions & { readonly channel?: boolean; readonly marked?: boolean } = {}): Promise<Emergency> {
  const hook = await startHook();
  const channels = withChannels({ 'on-call': { transport: { type: 'webhook', url: `${hook.url}/hook` } } }, [hook.place]);
  const files = {
    ...(options.channel === false ? {} : channels.files),
    'acme/invoices.cedar': options.marked === false ? invoices : marked,
    'acme/extra.cedar': unmarked,
    'acme/extra.cases.yaml': cases,
  };
  const broker = await startTestBroker({
    holdMs: 0,
    limits,
    ...channels,
    ...options,
    files,
    change: (document) => emergency(options.change?.(document) ?? document),
  });
  const dana = await broker.person('acme', 'dana');
  if (options.channel !== false) await broker.v1(dana, 'PUT', '/credentials/on-call-secret', { value: newSecret() });

  const ask: Emergency['ask'] = async (name, body) =>
    broker.v1(await broker.person('acme', name), 'POST', '/break-glass', {
      tools: ['ledger__post_payment'],
      incident: 'INC-4711',
      reason: 'Salaries are due and finance cannot be reached',
      amount: 5000,
      ...body,
    });
  const post: Emergency['post'] = async (name, id, verb, body = {}) => broker.v1(await broker.person('acme', name), 'POST', `/break-glass/${id}/${verb}`, body);
  return {
    broker,
    hook,
    ask,
    post,
    show: async (name, id) => (await broker.v1(await broker.person('acme', name), 'GET', `/break-glass/${id}`)).body,
    async activate(session, more = {}) {
      const asked = await ask('bob', { session, ...more });
      if (asked.status !== 201) throw new Error(asked.text);
      const id = String(asked.body['id']);
      const confirmed = await post('carl', id, 'confirm');
      if (confirmed.status !== 200) throw new Error(confirmed.text);
      return id;
    },
    async pay(task, amount, more = {}) {
      const client = await modernClient(task);
      try {
        const answer = await client.callTool(payment(amount, more));
        return answer.isError === true ? textOf(answer) : 'paid';
      } finally {
        await client.close();
      }
    },
    async paid(task) {
      const client = await modernClient(task);
      try {
        return (await paymentsOf(client)).map(({ amount }) => amount);
      } finally {
        await client.close();
      }
    },
    async end() {
      await broker.end();
      await hook.close();
    },
  };
}

function emergency(document: Record<string, unknown>): Record<string, unknown> {
  if (document['kind'] === 'Tenant' && document['name'] === 'acme') {
    const people = document['people'] as Record<string, { groups?: string[] }>;
    const joined = Object.fromEntries(
      Object.entries(people).map(([name, person]) => [
        name,
        ['ana', 'bob', 'carl'].includes(name) ? { ...person, groups: [...(person.groups ?? []), 'emergency'] } : person,
      ]),
    );
    const more = { eve: { subject: 'local#eve', groups: ['emergency'], roles: ['admin'] }, fay: { subject: 'local#fay', roles: ['auditor'] } };
    return { ...document, people: { ...joined, ...more }, break_glass: { group: 'emergency' } };
  }
  const listed = mayListPayments(document);
  if (listed['name'] !== 'match-invoices') return listed;
  const grants = (listed['grants'] as Record<string, unknown>[]).map((grant) =>
    grant['tool'] === 'ledger__post_payment' ? { ...grant, max_calls: 100 } : grant,
  );
  // Its tasks are many in a day, and what is at stake is not the day's budget.
  return { ...listed, grants, budget: { calls: 200 } };
}
