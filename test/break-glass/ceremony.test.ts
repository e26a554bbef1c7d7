import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setSecret } from '../../server/credentials/index.ts';
import { type Emergency, startEmergency } from './fixture.ts';

describe('break-glass', () => {
  let at: Emergency;
  const records = async () => (await at.broker.ports.store.readRecords('acme', 0, 2000)).map(({ body }) => body);
  beforeAll(async () => {
    at = await startEmergency();
  });
  afterAll(() => at.end());

  it('asked for by one and confirmed by another lets marked forbids go, and every call carries its id', { timeout: 60_000 }, async () => {
    const task = await at.broker.open({});
    expect(await at.pay(task, 600)).toMatch(/waits for a human/);
    const asked = await at.ask('bob', { session: task.session, calls: 2 });
    expect(asked).toMatchObject({ status: 201, body: { status: 'requested', initiator: { name: 'bob' }, confirmer: null } });
    const id = String(asked.body['id']);
    expect(await at.pay(task, 700)).toMatch(/waits for a human/);
    expect(await at.post('carl', id, 'confirm')).toMatchObject({ status: 200, body: { status: 'active', confirmer: { name: 'carl' } } });

    expect(await at.pay(task, 600)).toBe('paid');
    const told = await at.hook.until(({ body }) => body.includes('break_glass.activated'));
    expect(JSON.parse(told.body)).toMatchObject({ data: { incident: 'INC-4711', people: ['bob', 'carl'], tools: ['ledger__post_payment'] } });
    expect(told.body).not.toContain('Salaries');
    await at.hook.until(({ body }) => body.includes('break_glass.used'));

    const all = await records();
    expect(all.filter(({ type }) => type.startsWith('break_glass.')).map(({ type }) => type)).toEqual(['break_glass.requested', 'break_glass.activated']);
    const dispatched = all.find(({ type, break_glass }) => type === 'call.dispatched' && break_glass === id);
    expect(dispatched?.satisfied).toEqual([{ literal: 'approval:finance:2', source: 'break_glass', persons: ['local#bob', 'local#carl'] }]);
    expect(all.some(({ type, break_glass }) => type === 'call.completed' && break_glass === id)).toBe(true);
    // What people were only asked is not theirs to give any more: it has run.
    expect(all.some(({ type, code }) => type === 'approval.superseded' && code === 'break_glass')).toBe(true);

    expect(await at.pay(task, 800)).toBe('paid');
    expect(await at.show('fay', id)).toMatchObject({ calls: { used: 2, limit: 2 }, amount: { used: 1400, limit: 5000 } });
    expect(await at.pay(task, 900)).toMatch(/waits for a human/);
    expect(await at.paid(task)).toEqual([600, 800]);

    const ended = await at.post('carl', id, 'end', { reason: 'finance is back' });
    expect(ended).toMatchObject({ status: 200, body: { status: 'ended' } });
    await expect(at.pay(task, 5)).rejects.toThrow();
    expect(await at.broker.ports.store.readSession('acme', task.session)).toMatchObject({ session: { status: 'revoked', endReason: 'break_glass_ended' } });
    await at.hook.until(({ body }) => body.includes('break_glass.ended'));

    // Reviewed by somebody who took no part, once what it touched was set anew.
    expect(await at.post('eve', id, 'review', { finding: 'Two payments, as intended' })).toMatchObject({
      status: 409,
      body: { code: 'break_glass.not_rotated' },
    });
    expect(await at.show('fay', id)).toMatchObject({ to_rotate: ['ledger-key'] });
    await setSecret(at.broker.ports, 'acme', 'ledger-key', 'another-key-of-the-ledger', 'local#dana', {});
    expect(await at.post('dana', id, 'review', { finding: 'Two payments, as intended' })).toMatchObject({
      status: 200,
      body: { review: { name: 'dana' }, overdue: false },
    });
    expect((await records()).at(-1)).toMatchObject({ type: 'break_glass.reviewed', break_glass: id, actor: 'local#dana' });
  });

  it('can be taken back before it is confirmed, and its session goes on', { timeout: 60_000 }, async () => {
    const task = await at.broker.open({});
    const { body } = await at.ask('bob', { session: task.session });
    expect(await at.post('eve', String(body['id']), 'end', { reason: 'not needed' })).toMatchObject({ status: 200, body: { status: 'lapsed' } });
    expect(await at.pay(task, 5)).toBe('paid');
    expect(await at.post('carl', String(body['id']), 'confirm')).toMatchObject({ status: 409 });
  });

  it('is listed to whoever has a role or may activate it, and to nobody else', async () => {
    const seen = async (name: string) => ((await at.broker.v1(await at.broker.person('acme', name), 'GET', '/break-glass')).body['items'] as unknown[]).length;
    expect(await seen('fay')).toBeGreaterThan(1);
    expect(await seen('ana')).toBeGreaterThan(1);
    const hugo = await at.broker.person('globex', 'hugo');
    expect((await at.broker.v1(hugo, 'GET', '/break-glass')).body['items']).toEqual([]);
  });
});
