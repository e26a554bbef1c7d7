import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { nextPending, vote } from '../support/approvals.ts';
import { legacyClient, payment, startTestBroker, type TestBroker } from '../support/broker.ts';
import { generous, standingRequest } from '../support/standing.ts';
import { runHere } from './in-process.ts';
import type { Ran } from './run-cli.ts';

let broker: TestBroker;
let agent: Awaited<ReturnType<typeof legacyClient>>;
beforeAll(async () => {
  broker = await startTestBroker({
    holdMs: 100,
    change(document) {
      const changed = generous(document);
      if (changed['kind'] === 'Tenant' && changed['name'] === 'acme') {
        const people = changed['people'] as object;
        return {
          ...changed,
          people: { ...people, lea: { subject: 'local#lea', groups: ['legal'], roles: ['reviewer'] } },
          approvals: { delegable: { finance: '3d' } },
        };
      }
      if (changed['kind'] !== 'Upstream' || changed['name'] !== 'ledger') return changed;
      const tools = changed['tools'] as Record<string, unknown>[];
      const returns = { sensitivity: 'internal', integrity: 'tenant' };
      return { ...changed, tools: tools.map((tool) => (tool['name'] === 'post_payment' ? { ...tool, effect: 'write', returns } : tool)) };
    },
  });
  agent = await legacyClient(await broker.open({}));
});
afterAll(async () => {
  await agent?.close();
  await broker?.end();
});

const cli = (...args: readonly string[]): Promise<Ran> => runHere([...args, '--url', broker.url, '--data', join(broker.dir, 'data'), '--tenant', 'acme']);
const as = async (name: string, ...args: readonly string[]): Promise<Ran> => {
  const login = await cli('login', '--as', name);
  if (login.exit !== 0) throw new Error(login.stderr);
  return cli(...args);
};
const idIn = ({ stdout, stderr }: Ran, prefix: string): string => new RegExp(`${prefix}_[\\w-]{22}`).exec(stdout)?.[0] ?? `none in ${stdout}${stderr}`;

describe('delegation on the command line', () => {
  it('is given within the tenant’s bounds, used by name, listed and taken back', async () => {
    await agent.callTool(payment(601));
    const { id } = await nextPending(broker);
    const give = ['delegation', 'give', 'finance', '--to', 'lea', '--reason', 'on leave'];
    expect((await as('bob', ...give, '--for', 'long')).exit).toBe(2);
    expect(await cli(...give, '--for', '4d')).toMatchObject({ exit: 1, stderr: expect.stringContaining('longer than the tenant lets') });
    const given = await cli(...give, '--for', '8h');
    expect(given.stdout).toMatch(/lea votes in your place in finance until/);
    expect((await as('lea', 'approval', 'list')).stdout).toContain(id);
    expect(await cli('approval', 'approve', id, '--in-place-of', 'carl')).toMatchObject({ exit: 4 });
    expect((await cli('approval', 'approve', id, '--in-place-of', 'bob')).stdout).toContain('1/2 given');
    expect((await cli('delegation', 'list')).stdout).toMatch(/active +finance +bob +lea/);
    expect((await cli('delegation', 'end', idIn(given, 'dlg'))).stdout).toContain('is over');
    expect((await as('carl', 'approval', 'deny', id, '--reason', 'not ours')).exit).toBe(0);
  });
});

describe('approvals of calls alike on the command line', () => {
  it('are listed with what each would send, and decided each by itself, by the digest of what was listed', async () => {
    for (const amount of [611, 612, 613]) await agent.callTool(payment(amount));
    const listed = await as('bob', 'approval', 'batches');
    for (const amount of [611, 612, 613]) expect(listed.stdout).toContain(`"amount":${amount}`);
    const [, batch = ''] = /batch ([0-9a-f]{12})/.exec(listed.stdout) ?? [];
    const ids = [...listed.stdout.matchAll(/apr_[\w-]{22}/g)].map(([found]) => found);
    expect((await cli('approval', 'approve-batch', '000000000000')).exit).toBe(4);
    const args = ['approval', 'approve-batch', batch, '--leave', ids[1] ?? '', '--deny', ids[2] ?? ''];
    expect(await cli(...args)).toMatchObject({ exit: 4, stderr: expect.stringContaining('1 of 2 votes were not cast') });
    const rows = async () => Promise.all(ids.map(async (id) => (await broker.ports.store.readApproval('acme', id))?.votes.map(({ decision }) => decision)));
    expect(await rows()).toEqual([['approve'], [], []]);
    // It is another batch now, so what was listed before names nothing.
    expect((await cli(...args, '--denial', 'not ours')).exit).toBe(4);
    for (const id of ids) await as('carl', 'approval', 'deny', id, '--reason', 'enough');
  });
});

describe('standing approvals on the command line', () => {
  it('are proposed from a file, shown, given by as many as they stand for, listed as exceptions, and revoked', async () => {
    const file = join(broker.dir, 'contract.yaml');
    await writeFile(file, stringify(standingRequest({ requirement: 'approval:finance:2' })));
    const proposed = await as('dana', 'standing', 'propose', file);
    expect(proposed.stdout).toMatch(/waits for 2 of those it stands for/);
    const id = idIn(proposed, 'sta');
    expect(await cli('standing', 'approve', id, '--reason', 'as contracted')).toMatchObject({ exit: 4 });
    expect((await as('bob', 'standing', 'show', id)).stdout).toMatch(/pending, 0\/2 given[\s\S]*"maximum":5000/);
    expect((await cli('standing', 'approve', id, '--reason', 'as contracted')).stdout).toContain('given by 1/2');
    expect((await as('carl', 'standing', 'approve', id, '--reason', 'as contracted')).stdout).toContain('now active');
    expect((await cli('standing', 'list', '--status', 'active')).stdout).toContain(id);
    const register = JSON.parse((await cli('exception', 'list', '--json')).stdout) as { items: { kind: string; id: string }[] };
    expect(register.items).toEqual(expect.arrayContaining([expect.objectContaining({ kind: 'standing', id })]));
    expect((await cli('exception', 'list')).stdout).toContain('the yearly contract');
    expect((await cli('standing', 'revoke', id, '--reason', 'over')).stdout).toContain('is now revoked');
    expect(await as('ana', 'exception', 'list')).toMatchObject({ exit: 4 });
    expect((await as('bob', 'standing', 'propose', join(broker.dir, 'none.yaml'))).exit).toBe(1);
  });

  it('an answer is remembered once as many say the same, and what was measured is told', async () => {
    await agent.callTool(payment(651));
    const pending = await nextPending(broker);
    for (const name of ['bob', 'carl']) await vote(broker, name, pending, 'approve');
    const set = ['--set', 'invoice={"const":"INV-7"}', '--set', `iban={"const":"${payment(1).arguments.iban}"}`, '--set', 'amount={"maximum":660}'];
    expect((await as('bob', 'approval', 'remember', pending.id, ...set)).stdout).toContain('others have to remember the same');
    expect((await as('carl', 'approval', 'remember', pending.id, ...set)).stdout).toContain('until the task ends');
    expect((await agent.callTool(payment(655))).isError ?? false).toBe(false);
    const measured = await as('bob', 'approval', 'stats', '--json');
    expect(JSON.parse(measured.stdout)).toMatchObject({ effects: expect.anything() });
    expect((await cli('approval', 'stats', '--days', '1')).stdout).toMatch(/%/);
    expect((await cli('approval', 'remember', 'apr_nothing')).exit).toBe(1);
  });
});
