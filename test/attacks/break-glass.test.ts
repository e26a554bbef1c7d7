import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { standingOf } from '../../server/approvals/index.ts';
import { type Asker, confirmBreakGlass, requestBreakGlass, reviewBreakGlass } from '../../server/break-glass/index.ts';
import { type Emergency, startEmergency } from '../break-glass/fixture.ts';
import { modernClient, payment } from '../support/broker.ts';
import { byTwoAdmins } from '../support/changes.ts';
import { textOf } from '../support/ledger.ts';

const minute = 60_000;
const code = (answer: { ok: boolean; code?: string }): string => (answer.ok ? 'done' : (answer.code ?? ''));

/** What somebody who wants past policy would try with the emergency door. */
describe('break-glass', () => {
  let at: Emergency;
  beforeAll(async () => {
    at = await startEmergency();
  });
  afterAll(() => at.end());

  /** A person of acme as they would stand, by whatever account and however long after their login. */
  async function asker(name: string, { account = `local#${name}`, minutesAgo = 0 } = {}): Promise<Asker> {
    const snapshot = await at.broker.ports.tenants.current('acme');
    if (!snapshot) throw new Error('acme is not there');
    const people = { ...snapshot.document.people };
    if (account !== `local#${name}`) people[name] = { subject: account, groups: ['emergency'], roles: ['admin'] };
    const seen = { ...snapshot, document: { ...snapshot.document, people } };
    const person = { tenant: 'acme', id: account, name, loggedInAt: at.broker.ports.clock() - minutesAgo * minute };
    return { person, standing: standingOf(seen, person), snapshot: seen };
  }
  const request = (session: string) => ({
    session,
    tools: ['ledger__post_payment'],
    incident: 'INC-1',
    reason: 'it cannot wait',
    lifetime: 60 * minute,
    calls: 3,
    amount: 50_000_000,
  });
  const state = async (id: string) => (await at.broker.ports.store.readBreakGlass('acme', id))?.status;
  async function asked(session?: string): Promise<string> {
    const answer = await at.ask('bob', { session: session ?? (await at.broker.open({})).session });
    if (answer.status !== 201) throw new Error(answer.text);
    return String(answer.body['id']);
  }

  describe('is not activated', { timeout: 60_000 }, () => {
    it('by its initiator, who confirms themselves', async () => {
      const id = await asked();
      expect(await at.post('bob', id, 'confirm')).toMatchObject({ status: 403, body: { code: 'break_glass.same_person' } });
      expect(await state(id)).toBe('requested');
    });

    it('by one person with two accounts: the same subject at another issuer, or the same name', async () => {
      const id = await asked();
      const { ports } = at.broker;
      expect(code(await confirmBreakGlass(ports, await asker('robert', { account: 'https://login.acme.example#bob' }), id))).toBe('break_glass.same_person');
      const renamed = await asker('bob', { account: 'https://login.acme.example#b.miller' });
      expect(code(await confirmBreakGlass(ports, renamed, id))).toBe('break_glass.same_person');
      expect(await state(id)).toBe('requested');
    });

    it('by the sponsor of the session, as either of the two, under any account', async () => {
      const { session } = await at.broker.open({});
      expect(await at.ask('ana', { session })).toMatchObject({ status: 403, body: { code: 'break_glass.involved' } });
      const id = await asked(session);
      expect(await at.post('ana', id, 'confirm')).toMatchObject({ status: 403, body: { code: 'break_glass.involved' } });
      const other = await asker('anna', { account: 'https://login.acme.example#ana' });
      expect(code(await confirmBreakGlass(at.broker.ports, other, id))).toBe('break_glass.involved');
      expect(code(await requestBreakGlass(at.broker.ports, other, request(session)))).toBe('break_glass.involved');
    });

    it('by somebody outside the group, be they admin or auditor', async () => {
      const { session } = await at.broker.open({});
      for (const name of ['dana', 'fay']) expect(await at.ask(name, { session })).toMatchObject({ status: 403, body: { code: 'break_glass.not_in_group' } });
      const id = await asked(session);
      for (const name of ['dana', 'fay']) expect(await at.post(name, id, 'confirm')).toMatchObject({ status: 403 });
    });

    it('with a login older than five minutes, or one whose time nobody states, though its token still holds', async () => {
      const { ports } = at.broker;
      const { session } = await at.broker.open({});
      expect(code(await requestBreakGlass(ports, await asker('bob', { minutesAgo: 6 }), request(session)))).toBe('break_glass.login_not_fresh');
      const id = await asked(session);
      expect(code(await confirmBreakGlass(ports, await asker('carl', { minutesAgo: 6 }), id))).toBe('break_glass.login_not_fresh');
      const { loggedInAt: _, ...person } = (await asker('carl')).person;
      expect(code(await confirmBreakGlass(ports, { ...(await asker('carl')), person }, id))).toBe('break_glass.login_not_fresh');
      expect(await state(id)).toBe('requested');
    });

    it('by people of another tenant, who are told what somebody is told about nothing', async () => {
      const id = await asked();
      const hugo = await at.broker.person('globex', 'hugo');
      for (const verb of ['confirm', 'end', 'review'] as const) {
        const body = { confirm: {}, end: { reason: 'because' }, review: { finding: 'all is well here' } }[verb];
        const theirs = await at.broker.v1(hugo, 'POST', `/break-glass/${id}/${verb}`, body);
        const nothing = await at.broker.v1(hugo, 'POST', `/break-glass/bgl_nothing/${verb}`, body);
        expect(theirs.status).toBeGreaterThanOrEqual(400);
        expect(theirs.text).toBe(nothing.text);
      }
      expect((await at.broker.v1(hugo, 'GET', `/break-glass/${id}`)).status).toBe(404);
      expect(await state(id)).toBe('requested');
    });

    it('without incident, reason, tools or within its caps', async () => {
      const { session } = await at.broker.open({});
      for (const more of [
        { incident: '' },
        { incident: 'no number at all' },
        { reason: 'urgent' },
        { tools: [] },
        { lifetime: 4 * 3600 + 1 },
        { calls: 0 },
        { calls: 101 },
        { amount: -1 },
      ])
        expect((await at.ask('bob', { session, ...more })).status, JSON.stringify(more)).toBe(400);
      expect(await at.ask('bob', { session, tools: ['ledger__post_payment', 'ledger__refund'] })).toMatchObject({
        status: 422,
        body: { code: 'break_glass.tool_not_granted' },
      });
      expect(await at.ask('bob', { session: 'ses_acme_nothing' })).toMatchObject({ status: 422, body: { code: 'break_glass.no_session' } });
    });

    it('from the agent’s side: its task token opens none of these doors', async () => {
      const task = await at.broker.open({});
      const id = await asked(task.session);
      for (const [method, path] of [
        ['GET', ''],
        ['POST', ''],
        ['POST', `/${id}/confirm`],
        ['POST', `/${id}/review`],
        ['POST', `/${id}/end`],
      ] as const)
        expect((await at.broker.v1(task.accessToken, method, `/break-glass${path}`, method === 'POST' ? {} : undefined)).status).toBe(401);
      const client = await modernClient(task);
      const { tools } = await client.listTools();
      expect(tools.filter(({ name }) => /glass/.test(name))).toEqual([]);
      const answer = await client.callTool(payment(700));
      expect(JSON.stringify(answer)).not.toContain(id);
      await client.close();
    });
  });

  describe('lifts nothing', { timeout: 60_000 }, () => {
    it('of another session, or of another tool', async () => {
      const [opened, other] = [await at.broker.open({}), await at.broker.open({})];
      await at.activate(opened.session);
      expect(await at.pay(other, 600)).toMatch(/waits for a human/);
      const third = await at.broker.open({});
      await at.activate(third.session, { tools: ['ledger__list_payments'] });
      expect(await at.pay(third, 600)).toMatch(/waits for a human/);
      expect(await at.paid(third)).toEqual([]);
    });

    it('that is not marked, though a marked forbid asks for the very same people', async () => {
      const task = await at.broker.open({});
      await at.activate(task.session);
      expect(await at.pay(task, 3000)).toMatch(/waits for a human/);
      expect(await at.pay(task, 1500)).toMatch(/waits for a human/);
      const { items } = (await at.broker.v1(await at.broker.person('acme', 'bob'), 'GET', '/approvals?status=pending')).body as {
        items: { requirements: { requirement: string }[] }[];
      };
      expect(items.some(({ requirements }) => requirements.map(({ requirement }) => requirement).join() === 'approval:finance:2,approval:legal')).toBe(true);
      expect(await at.pay(task, 1400)).toBe('paid');
    });

    it('that is absolute: what policy forbids whoever agrees, what was not granted, what the task may not say', async () => {
      const task = await at.broker.open({});
      const id = await at.activate(task.session);
      expect(await at.pay(task, 600, { iban: 'FR7630006000011234567890189' })).toMatch(/German accounts only/);
      expect(await at.pay(task, 600, { invoice: 'INV-8' })).not.toBe('paid');
      expect(await at.pay(task, 5001)).not.toBe('paid');
      const client = await modernClient(task);
      const ungranted = await client.callTool({ name: 'ledger__refund', arguments: {} }).then(textOf, String);
      expect(ungranted).toMatch(/[Uu]nknown tool|not/);
      await client.close();
      expect((await at.broker.ports.store.readBreakGlass('acme', id))?.used).toEqual({ calls: 0, amount: 0 });
    });

    it('beyond its calls or its amount: what is left over is asked of people', async () => {
      const task = await at.broker.open({});
      await at.activate(task.session, { calls: 5, amount: 1000 });
      expect(await at.pay(task, 600)).toBe('paid');
      expect(await at.pay(task, 600.01)).toMatch(/waits for a human/);
      const none = await at.broker.open({});
      await at.activate(none.session, { amount: 0 });
      expect(await at.pay(none, 600)).toMatch(/waits for a human/);
    });

    it('more often than it says, of thirty calls at once', async () => {
      const task = await at.broker.open({});
      const id = await at.activate(task.session, { calls: 4 });
      const client = await modernClient(task);
      const pay = (i: number) => client.callTool({ ...payment(601), _meta: { 'taskgate/call': `call ${i}` } });
      const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => pay(i)));
      expect(answers.filter((answer) => answer.isError !== true)).toHaveLength(4);
      await client.close();
      expect((await at.paid(task)).filter((amount) => amount === 601)).toHaveLength(4);
      expect((await at.broker.ports.store.readBreakGlass('acme', id))?.used).toEqual({ calls: 4, amount: 24_040_000 });
    });

    it('once it is over, and its session is over with it', async () => {
      const task = await at.broker.open({});
      const id = await at.activate(task.session);
      await at.post('carl', id, 'end', { reason: 'done with it' });
      await expect(at.pay(task, 600)).rejects.toThrow();
      expect(await at.post('carl', id, 'confirm')).toMatchObject({ status: 409 });
    });

    it('that people have approved: it runs under their approval, and takes nothing from the emergency', async () => {
      const task = await at.broker.open({});
      expect(await at.pay(task, 660)).toMatch(/waits for a human/);
      const { items } = (await at.broker.v1(await at.broker.person('acme', 'bob'), 'GET', '/approvals?status=pending')).body as {
        items: { id: string; digest: string; session: string }[];
      };
      const mine = items.find(({ session }) => session === task.session);
      for (const name of ['bob', 'carl']) {
        const token = await at.broker.person('acme', name);
        const voted = await at.broker.v1(token, 'POST', `/approvals/${mine?.id}/decisions`, {
          decision: 'approve',
          digest: mine?.digest,
          reason: 'as ordered',
        });
        expect(voted.status).toBe(200);
      }
      const id = await at.activate(task.session);
      expect(await at.pay(task, 660)).toBe('paid');
      expect((await at.broker.ports.store.readBreakGlass('acme', id))?.used).toEqual({ calls: 0, amount: 0 });
    });

    it('that a reviewer has denied: their word about exactly this call stands', async () => {
      const task = await at.broker.open({});
      expect(await at.pay(task, 650)).toMatch(/waits for a human/);
      const bob = await at.broker.person('acme', 'bob');
      const { items } = (await at.broker.v1(bob, 'GET', `/approvals?status=pending`)).body as { items: { id: string; digest: string; session: string }[] };
      const mine = items.find(({ session }) => session === task.session);
      await at.broker.v1(bob, 'POST', `/approvals/${mine?.id}/decisions`, { decision: 'deny', digest: mine?.digest, reason: 'wrong account' });
      await at.activate(task.session);
      expect(await at.pay(task, 650)).toMatch(/denied this call/);
    });
  });

  describe('is not reviewed', { timeout: 60_000 }, () => {
    it('by those who activated it, the sponsor, or whoever is neither admin nor auditor', async () => {
      const task = await at.broker.open({});
      const id = await at.activate(task.session);
      await at.post('carl', id, 'end', { reason: 'done with it' });
      const finding = 'All was as it should be';
      const { ports } = at.broker;
      const admin = async (name: string, account?: string): Promise<Asker> => {
        const one = await asker(name, account === undefined ? {} : { account });
        return { ...one, standing: { ...one.standing, roles: new Set(['admin'] as const) } };
      };
      for (const involved of [await admin('bob'), await admin('carl'), await admin('ana'), await admin('robert', 'https://login.acme.example#bob')])
        expect(code(await reviewBreakGlass(ports, involved, id, finding))).toBe('break_glass.took_part');
      expect(await at.post('bob', id, 'review', { finding })).toMatchObject({ status: 403, body: { code: 'break_glass.not_reviewer' } });
      expect(await at.post('fay', id, 'review', { finding })).toMatchObject({ status: 200 });
    });
  });
});

describe('break-glass by admins', () => {
  it('who put themselves into its group, or were put there, is theirs after a day and not before', { timeout: 60_000 }, async () => {
    const own = await startEmergency();
    const { broker } = own;
    const { session } = await broker.open({});
    const tenant = parse(await readFile(join(broker.documents, 'tenants/acme/tenant.yaml'), 'utf8'));
    for (const name of ['dana', 'emma']) tenant.people[name].groups = ['emergency'];
    const { status, text } = await byTwoAdmins(broker, 'POST', '/documents/apply', { files: [{ source: 'tenant.yaml', text: stringify(tenant) }] });
    expect(status, text).toBe(200);
    for (const name of ['dana', 'emma']) expect(await own.ask(name, { session })).toMatchObject({ status: 403, body: { code: 'break_glass.too_recent' } });
    const asked = await own.ask('bob', { session });
    for (const name of ['dana', 'emma'])
      expect(await own.post(name, String(asked.body['id']), 'confirm')).toMatchObject({ status: 403, body: { code: 'break_glass.too_recent' } });
    await own.end();
  });
});

describe('break-glass of a tenant', () => {
  it('without a channel is refused, with what to do about it', { timeout: 60_000 }, async () => {
    const silent = await startEmergency({ channel: false });
    const { session } = await silent.broker.open({});
    expect(await silent.ask('bob', { session })).toMatchObject({
      status: 409,
      body: { code: 'break_glass.no_channel', remedy: expect.stringContaining('Channel') },
    });
    await silent.end();
  });

  it('whose policy marks nothing lifts nothing', { timeout: 60_000 }, async () => {
    const unmarked = await startEmergency({ marked: false });
    const task = await unmarked.broker.open({});
    const id = await unmarked.activate(task.session);
    expect(await unmarked.pay(task, 600)).toMatch(/waits for a human/);
    expect((await unmarked.broker.ports.store.readBreakGlass('acme', id))?.firstUsedAt).toBeNull();
    await unmarked.end();
  });
});
