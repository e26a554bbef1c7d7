import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthenticator } from '../support/authenticator.ts';
import { modernClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { type Ran, runCli } from './run-cli.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ holdMs: 10_000 });
});
afterAll(() => broker.end());

const cli = (args: readonly string[], stdin?: string): Promise<Ran> =>
  runCli(args, {
    env: { TASKGATE_URL: broker.url, TASKGATE_DATA: join(broker.dir, 'data'), TASKGATE_TENANT: 'acme' },
    cwd: broker.dir,
    ...(stdin === undefined ? {} : { stdin }),
  });
const json = async (args: readonly string[]): Promise<{ items: Record<string, unknown>[] } & Record<string, unknown>> =>
  JSON.parse((await cli([...args, '--json'])).stdout);
const login = async (name: string): Promise<void> => expect(await cli(['login', '--as', name])).toEqual({ exit: 0, stdout: '', stderr: '' });
const personTokenOf = async (name: string): Promise<string> =>
  JSON.parse(await readFile(join(broker.dir, 'data', 'people', 'acme', `${name}.json`), 'utf8')).access_token;

/** emma reads what waits and approves exactly that. */
async function approveWaiting(): Promise<void> {
  await login('emma');
  for (const { id } of (await json(['change', 'list'])).items) {
    const { digest } = await json(['change', 'show', String(id)]);
    expect(await cli(['change', 'approve', String(id), '--digest', String(digest).slice(0, 16)])).toMatchObject({ exit: 0, stderr: '' });
  }
  expect((await cli(['change', 'list'])).stdout).toBe('Nothing waits for a second admin.\n');
}

describe('a sponsor', () => {
  it('logs in without a word, opens a session for the agent, sees and ends it', async () => {
    await login('ana');
    const opened = await json(['session', 'open', '--agent', 'invoice-matcher', '--use-case', 'match-invoices', '--input', 'invoice=INV-7']);
    expect(opened).toMatchObject({
      session_id: expect.stringMatching(/^ses_acme_/),
      mcp_url: expect.stringContaining(broker.url),
      access_token: expect.any(String),
    });
    const listed = await cli(['session', 'list', '--agent', 'invoice-matcher']);
    expect(listed.stdout).toContain(String(opened['session_id']));
    expect(await cli(['session', 'end', String(opened['session_id']), '--reason', 'all matched'])).toMatchObject({ exit: 0, stdout: '' });
    expect((await json(['session', 'list', '--status', 'ended'])).items[0]).toMatchObject({ id: opened['session_id'], status: 'ended' });
  });

  it('is shown no token when the session is opened for people to read', async () => {
    await login('ana');
    const opened = await cli(['session', 'open', '--agent', 'invoice-matcher', '--use-case', 'match-invoices', '--input', 'invoice=INV-7']);
    expect(opened.stdout).toContain('ses_acme_');
    expect(opened.stdout).not.toMatch(/eyJ/);
  });

  it('attests the task when the login was for exactly it', async () => {
    const words = ['--agent', 'invoice-matcher', '--use-case', 'match-invoices', '--input', 'invoice=INV-7', '--objective', 'Pay INV-7'];
    await cli(['login', '--as', 'ana', ...words]);
    const opened = await json(['session', 'open', ...words]);
    expect(opened['authorization_details']).toMatchObject([{ attested_by: 'sponsor' }]);
    const other = await json(['session', 'open', ...words.slice(0, -1), 'Pay it twice']);
    expect(other['authorization_details']).not.toMatchObject([{ attested_by: 'sponsor' }]);
  });

  it('ends with 4 and the broker’s words when the task is refused', async () => {
    await login('ana');
    const refused = await cli(['session', 'open', '--agent', 'invoice-matcher', '--use-case', 'match-invoices', '--input', 'invoice=7']);
    expect(refused.exit).toBe(4);
    expect(refused.stderr).toMatch(/invoice/);
  });
});

describe('reviewers', () => {
  it('see what would run, approve it by a shortened id, and the call runs', async () => {
    const task = await broker.open({});
    const client = await modernClient(task);
    const paying = client.callTool(payment(600));
    paying.catch(() => undefined);
    await login('bob');
    let listed = await json(['approval', 'list']);
    while (listed.items.length === 0) listed = await json(['approval', 'list']);
    const id = String(listed.items[0]?.['id']);
    const bob = await cli(['approval', 'approve', id.slice(0, 8), '--reason', 'matches the order']);
    expect(bob).toMatchObject({ exit: 0, stderr: '' });
    expect(bob.stdout).toContain('Will run ledger__post_payment');
    expect(bob.stdout).toContain('DE02120300000000202051');
    expect(bob.stdout).toContain('local#ana');
    expect(bob.stdout).toContain('Payments above 500 need two people from finance');
    await login('ana');
    expect((await cli(['approval', 'approve', id, '--reason', 'as ordered'])).exit).toBe(4);
    await login('carl');
    expect((await cli(['approval', 'approve', id, '--digest', '0'.repeat(64)])).exit).toBe(4);
    expect((await cli(['approval', 'approve', id, '--reason', 'as ordered'])).exit).toBe(0);
    expect((await paying).isError).not.toBe(true);
    await client.close();
  });

  it('take an approval back before its call has run, by a shortened id', async () => {
    const task = await broker.open({});
    const client = await modernClient(task);
    const paying = client.callTool(payment(700));
    paying.catch(() => undefined);
    await login('bob');
    const { id } = (await json(['approval', 'list', '--wait', '20'])).items[0] ?? {};
    const revoked = await cli(['approval', 'revoke', String(id).slice(0, 9), '--reason', 'wrong order']);
    expect(revoked).toMatchObject({ exit: 0, stdout: `${id} is now cancelled; its call will not run.\n` });
    expect((await paying).isError).toBe(true);
    expect((await cli(['approval', 'list'])).stdout).toBe('Nothing waits for you.\n');
    await client.close();
  });

  it('narrow a call before they approve it, waiting for one another, and are told what the agent had asked', async () => {
    const dana = await broker.person('acme', 'dana');
    const { items } = (await broker.v1(dana, 'GET', '/sessions?status=active')).body as unknown as { items: { id: string }[] };
    for (const { id } of items) await broker.v1(dana, 'POST', `/sessions/${id}/end`, { reason: 'done' });
    const client = await modernClient(await broker.open({}));
    const paying = client.callTool(payment(900));
    paying.catch(() => undefined);
    await login('bob');
    const original = String((await json(['approval', 'list', '--wait', '20'])).items[0]?.['id']);
    expect(await cli(['approval', 'edit', original, '--set', 'amount=901', '--reason', 'more of it'])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('amount can only be narrowed'),
    });
    const edited = await cli(['approval', 'edit', original, '--set', 'amount=890', '--reason', 'a part was missing', '--json']);
    const { id } = JSON.parse(edited.stdout) as { id: string };
    expect((await cli(['approval', 'show', original])).stdout).toContain(`replaced by  ${id}`);
    expect((await cli(['approval', 'show', id])).stdout).toContain('890 (the agent asked for 900)');
    expect(await cli(['approval', 'approve', id, '--reason', 'as delivered', '--wait', '0'])).toMatchObject({ exit: 5 });
    await login('carl');
    expect(await cli(['approval', 'approve', id, '--reason', 'as delivered', '--wait', '20'])).toMatchObject({ exit: 0 });
    expect((await paying)._meta?.['taskgate/edited']).toEqual({ approval: id, arguments: { amount: 890 } });
    await client.close();
  });

  it('are told that no approval starts so', async () => {
    await login('bob');
    expect(await cli(['approval', 'show', 'nope'])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('no approval that waits for you starts with nope'),
    });
  });
});

describe('an admin', () => {
  it('sets a credential from stdin, which comes back nowhere', async () => {
    await login('dana');
    const set = await cli(['credential', 'set', 'ledger-key', '--reason', 'rotated'], 'canary-5f1d\n');
    expect(set).toMatchObject({ exit: 5, stderr: '', stdout: expect.stringMatching(/emma may approve it:\n {2}npx taskgate change show chg_/) });
    await approveWaiting();
    await login('dana');
    const listed = await cli(['credential', 'list', '--json']);
    expect(JSON.parse(listed.stdout).items).toMatchObject([{ name: 'ledger-key', version: 2 }]);
    expect(listed.stdout).not.toContain('canary');
    expect((await cli(['credential', 'set', 'ledger-key'], '')).exit).toBe(2);
  });

  it('reads tools, agents and policies, and gets reasons in words', async () => {
    await login('dana');
    expect((await cli(['tool', 'list'])).stdout).toMatch(/ledger__post_payment\s+tool\s+destructive\s+external\s+internal/);
    expect((await cli(['agent', 'list'])).stdout).toMatch(/invoice-matcher\s+dana/);
    expect(await cli(['policy', 'check'])).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect((await cli(['policy', 'test'])).stdout).toContain('600 needs two from finance');
    expect((await cli(['policy', 'schema'])).stdout).toContain('ledger__post_payment');
    const why = await cli(['policy', 'explain', 'ledger__post_payment', '--args', '{"invoice":"INV-7","iban":"FR1420041010050500013M02606","amount":1}']);
    expect(why.stdout).toContain('Invoices are paid to German accounts only');
  });

  it('suspends an agent, which opens nothing then, and lets it act again', async () => {
    await login('dana');
    const open = ['session', 'open', '--agent', 'invoice-matcher', '--use-case', 'match-invoices', '--input', 'invoice=INV-7'];
    expect(await cli(['agent', 'suspend', 'invoice-matcher', '--reason', 'its owner is away'])).toEqual({ exit: 0, stdout: '', stderr: '' });
    await login('ana');
    expect(await cli(open)).toMatchObject({ exit: 4, stderr: expect.stringContaining('suspended') });
    await login('dana');
    expect(await cli(['agent', 'activate', 'invoice-matcher'])).toMatchObject({ exit: 5, stderr: '' });
    expect(await json(['agent', 'show', 'invoice-matcher'])).toMatchObject({ status: 'suspended' });
    await approveWaiting();
    expect(await json(['agent', 'show', 'invoice-matcher'])).toMatchObject({ status: 'active' });
  });

  it('makes a connection token and revokes it by the id it was shown with', async () => {
    await login('dana');
    const made = await json(['agent', 'token', 'invoice-matcher', '--lifetime', '7']);
    const list = (): Promise<Response> =>
      fetch(`${broker.url}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${made['token']}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
      });
    expect((await list()).status).toBe(401);
    await approveWaiting();
    expect((await list()).status).toBe(200);
    await login('dana');
    expect(await cli(['agent', 'token', 'invoice-matcher', '--revoke', String(made['id'])])).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect((await list()).status).toBe(401);
    expect((await cli(['agent', 'token', 'invoice-matcher', '--lifetime', '0'])).exit).toBe(2);
    expect((await cli(['agent', 'token', 'invoice-matcher', '--revoke', 'x', '--lifetime', '7'])).exit).toBe(2);
  });

  it('lists, confirms and removes passkeys, with a fresh login', async () => {
    const bob = await broker.person('acme', 'bob');
    const { body } = await broker.v1(bob, 'POST', '/me/passkeys/options', {});
    const { options } = body as { options: { challenge: string } };
    const made = await broker.v1(bob, 'POST', '/me/passkeys', { name: 'yellow key', credential: createAuthenticator(broker.url).make(options) });
    const id = String(made.body['id']);
    await login('dana');
    expect((await cli(['passkey', 'list'])).stdout).toContain('You have no passkey');
    expect((await cli(['passkey', 'list', '--all'])).stdout).toMatch(new RegExp(`${id}.*local#bob.*yellow key.*waits_for_admin`));
    expect((await cli(['passkey', 'confirm', id])).stdout).toMatch(/^yellow key of local#bob signs from /);
    expect((await cli(['passkey', 'remove', id])).exit).not.toBe(0);
    expect((await cli(['passkey', 'remove', id, '--of-others'])).stdout).toBe('yellow key of local#bob signs nothing any more.\n');
    expect((await json(['passkey', 'list', '--all'])).items[0]).toMatchObject({ id, status: 'removed' });
  });

  it('applies what widens as a change that waits, told with who may approve it and how; the end is 5', async () => {
    await login('dana');
    const file = join(broker.documents, 'tenants/acme/agents.yaml');
    const wider = join(broker.dir, 'wider.yaml');
    await writeFile(wider, (await readFile(file, 'utf8')).replace('clearance: confidential', 'clearance: restricted'));
    const applied = await cli(['apply', wider, '--reason', 'the payroll project']);
    expect(applied).toMatchObject({ exit: 5, stderr: '' });
    expect(applied.stdout).toMatch(/~ acme Agent invoice-matcher widens, waits\n {4}clearance: confidential → restricted \(widens\)/);
    expect(applied.stdout).toMatch(/Waits as chg_\S+ until .*\. emma may approve it:\n {2}npx taskgate change show chg_\S+\nNot applied\.\n$/);
    const machine = await cli(['apply', wider, '--json']);
    const [{ id, digest }] = JSON.parse(machine.stdout).waiting;
    expect(machine.exit).toBe(5);
    expect((await json(['change', 'list'])).items).toHaveLength(1);

    expect(await cli(['change', 'approve', id, '--digest', digest])).toMatchObject({ exit: 4, stderr: expect.stringContaining('another admin') });
    await login('emma');
    const shown = await cli(['change', 'show', String(id).slice(0, 10)]);
    expect(shown.stdout).toContain(`npx taskgate change approve ${id} --digest ${digest.slice(0, 16)}`);
    expect(shown.stdout).toMatch(/reason +the payroll project/);
    expect(await cli(['change', 'approve', id])).toMatchObject({ exit: 2 });
    expect(await cli(['change', 'approve', id, '--digest', 'f'.repeat(16)])).toMatchObject({ exit: 4, stderr: expect.stringContaining('change show') });
    expect((await cli(['change', 'reject', id, '--reason', 'no such project'])).stdout).toBe(`${id} is now rejected.\n`);
    expect(await cli(['change', 'approve', id, '--digest', digest])).toMatchObject({ exit: 4 });
    expect((await json(['change', 'list', '--status', 'rejected'])).items).toMatchObject([{ id, decision_reason: 'no such project' }]);
    expect((await cli(['change', 'show', 'chg_AAAAAAAAAAAAAAAAAAAAAA'])).exit).toBe(1);
  });

  it('is shown where a policy does not hold, and the end is 3', async () => {
    await login('dana');
    const file = join(broker.dir, 'bad.cedar');
    await writeFile(file, '@id("acme/bad")\n@reason("x")\npermit (principal, action, resource);\n');
    expect(await cli(['policy', 'check', file])).toMatchObject({ exit: 3, stderr: expect.stringContaining('bad.cedar') });
  });

  it('plans without applying, applies nothing that does not hold, and the end is 3', async () => {
    await login('dana');
    expect((await cli(['apply', '--dry-run', join(broker.documents, 'tenants', 'acme')])).stdout).toBe('Nothing would change.\n');
    const file = join(broker.dir, 'agent.yaml');
    await writeFile(file, 'kind: Agent\ntenant: acme\nname: half\n');
    const refused = await cli(['apply', file]);
    expect(refused.exit).toBe(3);
    expect(refused.stderr).toContain('agent.yaml');
    expect((await json(['agent', 'list'])).items).toHaveLength(1);
  });

  it('exports the record, which verifies, and does not once a byte is changed', async () => {
    await login('dana');
    const exported = (await cli(['audit', 'export'])).stdout;
    const file = join(broker.dir, 'acme.jsonl');
    await writeFile(file, exported);
    expect((await cli(['audit', 'verify', file])).exit).toBe(0);
    await writeFile(file, exported.replace('session.opened', 'session.opensd'));
    expect(await cli(['audit', 'verify', file])).toMatchObject({ exit: 3, stderr: expect.stringContaining('broken at record') });
    expect((await cli(['audit', 'verify'])).stdout).toMatch(/acme\s+\d+\s+0\s+[0-9a-f]{16}\s+whole/);
  });
});

it('never shows a person’s token, neither to people nor in JSON', async () => {
  await login('bob');
  const token = await personTokenOf('bob');
  for (const args of [
    ['login', '--as', 'bob', '--json'],
    ['approval', 'list', '--json'],
    ['logout', '--json'],
  ]) {
    const { stdout, stderr } = await cli(args);
    expect(stdout + stderr).not.toContain(token);
    expect(stdout + stderr).not.toMatch(/eyJ/);
  }
});

it('answers errors in JSON too when asked to', async () => {
  const { stdout, exit } = await cli(['session', 'show', 'ses_acme_nope', '--json']);
  expect(exit).not.toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ error: { message: expect.any(String) } });
});

describe('a mistake', () => {
  it.each([
    ['a person nobody knows', ['login', '--as', 'nobody'], 4, "does acme have a person 'nobody'?"],
    ['a tenant this machine does not have', ['login', '--tenant', 'acmee', '--as', 'ana'], 1, 'check --tenant: the local provider here knows acme'],
    ['an agent nobody knows', ['session', 'open', '--agent', 'nobody', '--use-case', 'x'], 4, "does acme have an agent 'nobody'"],
    [
      'no login',
      ['session', 'open', '--tenant', 'globex', '--agent', 'invoice-clerk', '--use-case', 'match-invoices', '--input', 'invoice=INV-7'],
      4,
      'npx taskgate login --tenant globex',
    ],
    ['a URL that is none', ['session', 'list', '--url', 'localhost:7411'], 2, 'http://localhost:7411'],
    ['no broker', ['session', 'list', '--url', 'http://127.0.0.1:9'], 1, 'npx taskgate serve'],
    ['an agent that is not there', ['agent', 'show', 'nope'], 1, 'npx taskgate agent list'],
    ['a tool that is not there', ['policy', 'explain', 'nope'], 1, 'npx taskgate tool list'],
    ['a value outside its bounds', ['session', 'suspend', 'ses_acme_nope', '--reason', 'x'], 2, 'reason'],
    ['a port that is taken', ['serve', '--port', 'TAKEN', '--documents', 'DOCUMENTS', '--data', 'OTHER'], 1, 'npx taskgate doctor'],
    ['documents that do not hold', ['serve', '--port', '0', '--documents', 'BROKEN', '--data', 'OTHER'], 3, 'half.yaml'],
    ['settings that do not fit', ['serve', '--log-level', 'loud'], 2, 'docs/operator.md'],
  ])('%s is told with its remedy', async (_what, words, exit, remedy) => {
    await login('dana');
    const broken = join(broker.dir, 'broken');
    await mkdir(broken, { recursive: true });
    await writeFile(join(broken, 'half.yaml'), 'kind: Agent\ntenant: acme\nname: half\n');
    const places: Record<string, string> = { TAKEN: new URL(broker.url).port, DOCUMENTS: broker.documents, BROKEN: broken, OTHER: join(broker.dir, 'other') };
    expect(await cli(words.map((word) => places[word] ?? word))).toMatchObject({ exit, stdout: '', stderr: expect.stringContaining(remedy) });
  });
});
