import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { type Ran, runCli } from './run-cli.ts';

const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
const observed = `kind: UseCase
tenant: acme
name: read-mail
workflow: invoice-matching
owner: dana
purpose: Reads mail and looks at the ledger
accountable: dana
grants: [{ tools: ["mail__*", "ledger__*"] }]
ceiling: confidential
lifetime: { default: 30m, longest: 4h }
budget: { calls: 200, amount: 50 }
observe_until: ${tomorrow}
expires: 2027-06-30
review_by: 2027-01-31
`;
/** Only match-invoices is permitted anything, so that the new use case lacks all permits. */
const law = `@id("acme/matcher-may-use-its-grants")
@reason("Invoice matching may use what its session was granted")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "invoice-matching" && context.session.use_case == "match-invoices" };

@id("acme/searches-are-seen")
@reason("Finance looks\\nat each search")
forbid (principal, action == Taskgate::Action::"mail__search", resource)
unless { context.satisfied.contains("approval:finance") };
`;
const cases = `- { case: a payment runs, tool: ledger__post_payment, facts: { session: { use_case: match-invoices }, args: { invoice: INV-7, iban: DE02, amount: 1 } }, expect: { decision: allow } }
- { case: a search waits, tool: mail__search, facts: { session: { use_case: match-invoices }, args: { query: x } }, expect: { decision: require } }
`;

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ files: { 'acme/invoices.cedar': law, 'acme/invoices.cases.yaml': cases, 'acme/read-mail.yaml': observed } });
  expect((await cli(['login', '--as', 'dana'])).exit).toBe(0);
});
afterAll(() => broker.end());

const cli = (args: readonly string[]): Promise<Ran> =>
  runCli(args, { env: { TASKGATE_URL: broker.url, TASKGATE_DATA: join(broker.dir, 'data'), TASKGATE_TENANT: 'acme' }, cwd: broker.dir });
const suggest = (...args: readonly string[]): Promise<Ran> => cli(['policy', 'suggest', ...args]);

describe('policy suggest', () => {
  it('has nothing to suggest but to drop what was never used', async () => {
    const told = JSON.parse((await suggest('--use-case', 'match-invoices', '--json')).stdout);
    expect(told).toMatchObject({ calls: 0, files: [], unused: expect.arrayContaining(['ledger__post_payment']) });
  });

  it('suggests exactly what an observed use case was seen to use, which applies cleanly and lets just that run', async () => {
    const task = await broker.open({ use_case: 'read-mail', inputs: {}, sponsor: null });
    const client = await modernClient(task);
    for (const query of ['INV-7', 'INV-8']) expect((await client.callTool({ name: 'mail__search', arguments: { query } })).isError).not.toBe(true);
    await client.callTool(payment(20));
    await client.close();

    const told = JSON.parse((await suggest('--use-case', 'read-mail', '--json')).stdout);
    expect(told).toMatchObject({
      ...{ calls: 3, sessions: 1, most_per_session: 3, most_per_day: 3 },
      would: [
        { tool: 'mail__search', how: 'deny', policies: [], calls: 2 },
        { tool: 'ledger__post_payment', how: 'deny', policies: [], calls: 1 },
      ],
    });
    const shown = (await suggest('--use-case', 'read-mail')).stdout;
    expect(shown).toContain('// 2 calls of mail__search would be answered deny: no policy permits it');
    expect(shown).toContain('// mail__search: 2 calls; waits for approval:finance');
    expect(shown).toContain('values of arguments');

    const out = join(broker.dir, 'suggested');
    expect((await suggest('--use-case', 'read-mail', '--out', out)).exit).toBe(0);
    expect((await readdir(out)).sort()).toEqual(['read-mail-suggested.cases.yaml', 'read-mail-suggested.cedar', 'read-mail-suggested.yaml']);
    const useCase = parse(await readFile(join(out, 'read-mail-suggested.yaml'), 'utf8'));
    expect(useCase).toMatchObject({
      grants: [
        { tool: 'ledger__post_payment', max_calls: 1 },
        { tool: 'mail__search', max_calls: 2 },
      ],
      budget: { calls: 3, amount: 50, per_day: { calls: 3 } },
    });
    expect(useCase).not.toHaveProperty('observe_until');
    expect((await suggest('--use-case', 'read-mail', '--out', out)).exit).toBe(1);

    const applied = await cli(['apply', '--json', out]);
    expect(applied).toMatchObject({ exit: 0 });
    const { items } = JSON.parse(applied.stdout);
    expect(items.map((one: Record<string, unknown>) => [one['kind'], one['effect']])).toEqual([
      ['UseCase', 'narrows'],
      ['Policy', 'widens'],
    ]);
    const after = await modernClient(await broker.open({ use_case: 'read-mail', inputs: {}, sponsor: null }));
    expect((await after.listTools()).tools.map(({ name }) => name)).toEqual(['ledger__post_payment', 'mail__search', 'await_approval']);
    expect((await after.callTool(payment(20))).isError).not.toBe(true);
    await after.close();
  });

  it('suggested again, from the same record, changes nothing', async () => {
    const { files } = JSON.parse((await suggest('--use-case', 'read-mail', '--json')).stdout);
    const plan = await broker.v1(await broker.person('acme', 'dana'), 'POST', '/documents/plan', { files });
    expect(plan).toMatchObject({ status: 200 });
    expect((plan.body as { items: { effect: string }[] }).items.filter(({ effect }) => effect === 'widens')).toEqual([]);
  });

  it('puts what a broader permit covers beside it as a remark, and never gives more than there is', async () => {
    const task = await broker.open({});
    const client = await modernClient(task);
    await client.callTool(payment(20));
    await client.close();
    const { files } = JSON.parse((await suggest('--use-case', 'match-invoices', '--json')).stdout);
    const cedar = files.find(({ source }: { source: string }) => source.endsWith('.cedar')).text;
    expect(cedar).toContain('// ledger__post_payment: permitted already, by acme/matcher-may-use-its-grants (1 call)');
    expect(cedar.split('\n').every((line: string) => line === '' || line.startsWith('//'))).toBe(true);
    const plan = await broker.v1(await broker.person('acme', 'dana'), 'POST', '/documents/plan', { files });
    expect(plan.status).toBe(200);
    expect((plan.body as { items: { kind: string; effect: string }[] }).items.map(({ kind, effect }) => [kind, effect])).toContainEqual(['UseCase', 'narrows']);
    const yaml = parse(files.find(({ source }: { source: string }) => source.endsWith('.yaml')).text);
    expect(yaml.grants).toEqual([
      { tool: 'ledger__post_payment', arguments: { invoice: { from: 'inputs.invoice' }, amount: { maximum: 5000 } }, origins: expect.anything(), max_calls: 1 },
    ]);
  });

  it('counts from the day it is told', async () => {
    expect(JSON.parse((await suggest('--use-case', 'match-invoices', '--since', tomorrow, '--json')).stdout)).toMatchObject({ calls: 0 });
    expect((await suggest('--use-case', 'match-invoices', '--since', 'monday')).exit).toBe(2);
  });

  it('is for admins and auditors, of their own tenant', async () => {
    const ask = async (tenant: string, name: string) => broker.v1(await broker.person(tenant, name), 'GET', '/policies/suggest?use_case=match-invoices');
    for (const name of ['bob', 'ana']) expect((await ask('acme', name)).status).toBe(403);
    expect((await ask('acme', 'dana')).body).toMatchObject({ calls: 1 });
    // The same name in another tenant: nothing of acme's is counted.
    expect((await ask('globex', 'jan')).body).toMatchObject({ calls: 0, would: [], files: [] });
    expect(await suggest('--use-case', 'nope')).toMatchObject({ exit: 1, stderr: expect.stringContaining("no use case 'nope'") });
  });
});
