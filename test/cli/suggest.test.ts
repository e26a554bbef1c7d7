import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { type Ran, runCli } from './run-cli.ts';

// Not the next: a run may cross midnight.
const laterDay = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
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
observe_until: ${laterDay}
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

interface Suggested {
  readonly calls: number;
  readonly files: readonly { source: string; text: string }[];
}
async function asked(query: string, tenant = 'acme', name = 'dana'): Promise<{ status: number; body: Suggested }> {
  const answer = await broker.v1(await broker.person(tenant, name), 'GET', `/policies/suggest?${query}`);
  return { status: answer.status, body: answer.body as unknown as Suggested };
}
/** What the plan says of the suggested files: kind and effect of each. */
async function planned(verb: 'plan' | 'apply', files: Suggested['files']): Promise<(readonly [string, string])[]> {
  const { status, body, text } = await byTwoAdmins(broker, 'POST', `/documents/${verb}`, { files });
  if (status !== 200) throw new Error(text);
  return (body as unknown as { items: { kind: string; effect: string }[] }).items.map(({ kind, effect }) => [kind, effect] as const);
}

describe('policy suggest', () => {
  it('has nothing to suggest but to drop what was never used', async () => {
    expect((await asked('use_case=match-invoices')).body).toMatchObject({ calls: 0, files: [], unused: expect.arrayContaining(['ledger__post_payment']) });
  });

  it('suggests exactly what an observed use case was seen to use, which applies cleanly and lets just that run', async () => {
    const task = await broker.open({ use_case: 'read-mail', inputs: {}, sponsor: null });
    const client = await modernClient(task);
    for (const query of ['INV-7', 'INV-8']) expect((await client.callTool({ name: 'mail__search', arguments: { query } })).isError).not.toBe(true);
    await client.callTool(payment(20));
    await client.close();

    const { body } = await asked('use_case=read-mail');
    expect(body).toMatchObject({
      ...{ calls: 3, sessions: 1, most_per_session: 3, most_per_day: 3 },
      would: [
        { tool: 'mail__search', how: 'deny', policies: [], calls: 2 },
        { tool: 'ledger__post_payment', how: 'deny', policies: [], calls: 1 },
      ],
    });
    expect(body.files.map(({ source }) => source)).toEqual(['read-mail-suggested.yaml', 'read-mail-suggested.cedar', 'read-mail-suggested.cases.yaml']);
    const useCase = parse(body.files[0]?.text ?? '');
    expect(useCase).toMatchObject({
      grants: [
        { tool: 'ledger__post_payment', max_calls: 1 },
        { tool: 'mail__search', max_calls: 2 },
      ],
      budget: { calls: 3, amount: 50, per_day: { calls: 3 } },
    });
    expect(useCase).not.toHaveProperty('observe_until');

    // By the command line: shown, and written where nothing is yet.
    const shown = (await suggest('--use-case', 'read-mail')).stdout;
    expect(shown).toContain('// 2 calls of mail__search would be answered deny: no policy permits it');
    expect(shown).toContain('// mail__search: 2 calls; waits for approval:finance');
    expect(shown).toContain('values of arguments');
    const out = join(broker.dir, 'suggested');
    expect((await suggest('--use-case', 'read-mail', '--out', out)).exit).toBe(0);
    const written = await Promise.all(body.files.map(({ source }) => readFile(join(out, source), 'utf8')));
    expect(written).toEqual(body.files.map(({ text }) => text));
    expect(await suggest('--use-case', 'read-mail', '--out', out)).toMatchObject({ exit: 1, stderr: expect.stringContaining('cannot make') });
  }, 120_000);

  it('applies, and then lets just that run; suggested again from the same record it widens nothing', async () => {
    const { files } = (await asked('use_case=read-mail')).body;
    expect(await planned('apply', files)).toEqual([
      ['UseCase', 'narrows'],
      ['Policy', 'widens'],
    ]);
    const after = await modernClient(await broker.open({ use_case: 'read-mail', inputs: {}, sponsor: null }));
    expect((await after.listTools()).tools.map(({ name }) => name)).toEqual(['ledger__post_payment', 'mail__search', 'await_approval', 'request_access']);
    expect((await after.callTool(payment(20))).isError).not.toBe(true);
    await after.close();
    const again = await planned('plan', (await asked('use_case=read-mail')).body.files);
    expect(again.filter(([, effect]) => effect === 'widens')).toEqual([]);
  });

  it('puts what a broader permit covers beside it as a remark, and never gives more than there is', async () => {
    const client = await modernClient(await broker.open({}));
    await client.callTool(payment(20));
    await client.close();
    const { files } = (await asked('use_case=match-invoices')).body;
    const textOf = (ending: string): string => files.find(({ source }) => source.endsWith(ending))?.text ?? '';
    expect(textOf('.cedar')).toContain('// ledger__post_payment: permitted already, by acme/matcher-may-use-its-grants (1 call)');
    expect(
      textOf('.cedar')
        .split('\n')
        .every((line) => line === '' || line.startsWith('//')),
    ).toBe(true);
    expect(await planned('plan', files)).toContainEqual(['UseCase', 'narrows']);
    expect(parse(textOf('.yaml')).grants).toEqual([
      { tool: 'ledger__post_payment', arguments: { invoice: { from: 'inputs.invoice' }, amount: { maximum: 5000 } }, origins: expect.anything(), max_calls: 1 },
    ]);
  });

  it('counts from the day it is told', async () => {
    expect((await asked(`use_case=match-invoices&since=${Date.parse(laterDay) / 1000}`)).body).toMatchObject({ calls: 0 });
    expect((await suggest('--use-case', 'match-invoices', '--since', 'monday')).exit).toBe(2);
  });

  it('is for admins and auditors, of their own tenant', async () => {
    for (const name of ['bob', 'ana']) expect((await asked('use_case=match-invoices', 'acme', name)).status).toBe(403);
    expect((await asked('use_case=match-invoices')).body).toMatchObject({ calls: 1 });
    // The same name in another tenant: nothing of acme's is counted.
    expect((await asked('use_case=match-invoices', 'globex', 'jan')).body).toMatchObject({ calls: 0, would: [], files: [] });
    expect(await suggest('--use-case', 'nope')).toMatchObject({ exit: 1, stderr: expect.stringContaining("no use case 'nope'") });
  });
});
