import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveChange } from '../../server/changes/index.ts';
import { type Applied, noticesOf, renderPlan } from '../../server/documents/index.ts';
import { edited, makeWorld, type Texts, texts } from '../documents/world.ts';

let world: Awaited<ReturnType<typeof makeWorld>>;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world.close());

const ada = { by: 'local#ada', applier: { at: 'door', tenant: 'tiny' }, platform: 'refused', tenants: ['tiny'] } as const;
const eve = { tenant: 'tiny', id: 'local#eve', name: 'eve' };
const twoAdmins = edited('tenant.yaml', '  ben:', '  eve: { subject: "local#eve", roles: [admin] }\n  ben:');
const wider = edited('use-case.yaml', 'ceiling: internal', 'ceiling: confidential');
const narrower = edited('agent.yaml', 'clearance: internal', 'clearance: public');

async function applied(changes: Texts, options: Parameters<typeof world.apply>[1] = ada): Promise<Applied> {
  const answer = await world.apply({ ...twoAdmins, ...changes }, options);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
  return answer;
}
const found = (changes: Texts = {}) => applied(changes, {});
const approve = (id: string, digest: string, person = eve) => approveChange(world.ports, person, { change: id, digest, reason: null });
async function stored(kind: string): Promise<Record<string, unknown>> {
  const document = (await world.ports.store.readConfiguration('tiny'))?.documents.find((one) => one.kind === kind);
  return { ...document?.body };
}
const bodies = async () => (await world.ports.store.readRecords('tiny', 0, 100)).map(({ body }) => body);
const names = (items: Applied['waits']) => items.map(({ kind, name }) => `${kind} ${name}`);

describe('an apply that widens', () => {
  it('takes effect as far as it narrows, at once, and the rest waits whole until another admin approves it', async () => {
    await found();
    const answer = await applied({ ...wider, ...narrower });
    expect(names(answer.waits)).toEqual(['UseCase garden']);
    expect([answer.applied, (await stored('Agent'))['clearance'], (await stored('UseCase'))['ceiling']]).toEqual([true, 'public', 'internal']);
    const [change] = answer.waiting;
    expect(change).toMatchObject({ author: 'local#ada', revision: 2, touches: ['use-case:garden'], status: 'pending' });
    expect(renderPlan(answer.plan, answer.waits)).toContain('~ UseCase garden (widens, waits for a second admin)');
    expect(noticesOf(answer).at(-1)).toMatch(
      /^1 item waits for another admin of tiny until 2026-06-08: npx taskgate change show chg_\S+ --tenant tiny; the rest is in force\.$/,
    );

    expect(await approve(change?.id ?? '', change?.digest ?? '')).toMatchObject({ ok: true, change: { status: 'applied', decidedBy: 'local#eve' } });
    expect((await stored('UseCase'))['ceiling']).toBe('confidential');
    expect((await bodies()).slice(1).map(({ type, actor, author }) => [type, actor, author])).toEqual([
      ['configuration.applied', 'local#ada', undefined],
      ['change.requested', 'local#ada', 'local#ada'],
      ['change.approved', 'local#eve', 'local#ada'],
      ['configuration.applied', 'local#eve', 'local#ada'],
    ]);
    expect((await bodies()).at(-1)).toMatchObject({ change: change?.id, change_sha256: change?.digest, changes: [{ kind: 'UseCase', effect: 'widens' }] });
  });

  it('waits together with what narrows when that does not hold alone, and says so', async () => {
    const second = { 'second.yaml': texts['agent.yaml'].replace('name: gardener', 'name: second').replace('agent/gardener', 'agent/second') };
    await found({ ...second, ...edited('use-case.yaml', 'ceiling: internal', 'accountable: ada\nceiling: internal'), 'use-case.yaml': texts['use-case.yaml'] });
    // Without the workflow that waits, nobody is left to do what the use case is for.
    const moved = {
      'agent.yaml': null,
      'second.yaml': texts['agent.yaml']
        .replace('name: gardener', 'name: second')
        .replace('agent/gardener', 'agent/second')
        .replace('clearance: internal', 'clearance: confidential'),
      'use-case.yaml': texts['use-case.yaml'],
      'upstream.yaml': texts['upstream.yaml'],
    };
    const answer = await applied(moved, { ...ada, prune: true });
    expect(names(answer.waits)).toEqual(['Agent second']);
    expect(answer.applied).toBe(true);

    // A tool goes, and the grant of it is replaced by a wider one: alone, the tool's going would leave the old grant in the air.
    const without = {
      ...moved,
      'upstream.yaml': texts['upstream.yaml'].replace(/ {2}- \{ name: touch.*\n/, ''),
      'use-case.yaml': texts['use-case.yaml'].replace(/ {2}- \{ tool: things__touch.*\n/, '').replace('calls: 20', 'calls: 30'),
    };
    const together = await applied(without, { ...ada, prune: true });
    expect(names(together.waits)).toEqual(['Agent second', 'UseCase garden', 'Upstream things']);
    expect(together.applied).toBe(false);
    expect(noticesOf(together).at(-1)).toContain('What narrows waits with it, because it does not hold alone.');
    expect((await world.ports.store.readConfiguration('tiny'))?.pins).toHaveLength(2);
    const change = together.waiting[0];
    expect(await approve(change?.id ?? '', change?.digest ?? '')).toMatchObject({ ok: true });
    expect((await world.ports.store.readConfiguration('tiny'))?.pins).toHaveLength(1);
  });

  it('only plans when told so, and asks nobody', async () => {
    await found();
    const answer = await applied(wider, { ...ada, dryRun: true });
    expect([answer.applied, answer.waiting, names(answer.waits)]).toEqual([false, [], ['UseCase garden']]);
    expect(noticesOf(answer)).toContain('What widens would wait for another admin.');
    expect(await world.ports.store.listChanges('tiny', {}, { after: null, limit: 10 })).toEqual([]);
  });

  it('asked for again is the same change; it is one of its own from somebody else', async () => {
    await found();
    const [first, again, other] = [await applied(wider), await applied(wider), await applied(wider, { ...ada, by: 'local#eve' })];
    expect(again.waiting[0]?.id).toBe(first.waiting[0]?.id);
    expect(other.waiting[0]?.id).not.toBe(first.waiting[0]?.id);
    // Each may approve the other's, never their own.
    expect(await approve(other.waiting[0]?.id ?? '', other.waiting[0]?.digest ?? '')).toMatchObject({ ok: false, code: 'change.own' });
  });

  it('lists the upstream again when it is approved: what has changed since is read first', async () => {
    await found();
    const told = await applied(edited('upstream.yaml', 'name: look,', 'name: look, says: Looks, additional_arguments: true,'));
    const change = told.waiting[0];
    const { connect } = world.ports.upstreams;
    const changed: typeof connect = async (...to) => {
      const connection = await connect(...to);
      return { ...connection, definitions: async () => (await connection.definitions()).map((one) => ({ ...one, description: 'Does more now' })) };
    };
    Object.assign(world.ports, { upstreams: { ...world.ports.upstreams, connect: changed } });
    expect(await approve(change?.id ?? '', change?.digest ?? '')).toMatchObject({ ok: false, code: 'change.replanned' });
    const fresh = await world.ports.store.readChange('tiny', change?.id ?? '');
    expect(fresh?.items.flatMap(({ differences }) => differences).join()).toContain('look: definition changed');
    expect(await approve(change?.id ?? '', fresh?.digest ?? '')).toMatchObject({ ok: true });
  });

  it('that does not hold any more says what is wrong, and goes on waiting', async () => {
    await found();
    const owned = texts['agent.yaml'].replace('name: gardener', 'name: third').replace('agent/gardener', 'agent/third').replace('owner: ada', 'owner: ben');
    const change = (await applied({ 'third.yaml': owned })).waiting[0];
    const without = { 'tenant.yaml': twoAdmins['tenant.yaml']?.replace(/ {2}ben:.*\n/, '') ?? '' };
    expect((await applied(without, { ...ada, by: 'local#eve' })).applied).toBe(true);
    const answer = await approve(change?.id ?? '', change?.digest ?? '');
    expect(answer).toMatchObject({ ok: false, code: 'change.no_longer_holds', problems: [{ remedy: expect.any(String) }] });
    expect((await world.ports.store.readChange('tiny', change?.id ?? ''))?.status).toBe('pending');
  });
});

describe('the start of the broker', () => {
  it('founds without waiting, and later lets what widens wait, the same at each start', async () => {
    expect((await found()).waiting).toEqual([]);
    const [first, second] = [await applied({ ...wider, ...narrower }, {}), await applied({ ...wider, ...narrower }, {})];
    expect(first.waiting).toMatchObject([{ author: 'operator', needs: 'admin' }]);
    expect(second.waiting.map(({ id }) => id)).toEqual(first.waiting.map(({ id }) => id));
    expect(await stored('Agent')).toMatchObject({ clearance: 'public' });
  });

  it('applies what is the operator’s own, and keeps the pins of an upstream whose document waits', async () => {
    await found();
    const before = (await world.ports.store.readConfiguration('tiny'))?.pins;
    const answer = await applied(
      { ...edited('platform.yaml', 'says, one', 'says, two'), ...edited('upstream.yaml', 'name: look,', 'name: look, says: Looks,') },
      {},
    );
    expect(names(answer.waits)).toEqual(expect.arrayContaining(['Upstream things']));
    expect((await world.ports.store.readConfiguration('tiny'))?.pins).toEqual(before);
    expect(JSON.stringify(await world.ports.store.readPlatform())).toContain('"two"');
  });

  it('with a second admin in the documents is the way out for a tenant with one', async () => {
    await applied({ 'tenant.yaml': texts['tenant.yaml'] }, {});
    const alone = await world.apply(wider, ada);
    expect(alone).toMatchObject({ ok: true, waiting: [{ status: 'pending' }] });
    const named = await applied({}, {});
    const change = named.waiting[0];
    expect(await approve(change?.id ?? '', change?.digest ?? '', { tenant: 'tiny', id: 'local#ada', name: 'ada' })).toMatchObject({ ok: true });
    expect(await stored('Tenant')).toMatchObject({ people: { eve: { roles: ['admin'] } } });
  });
});

describe('a tenant of one person', () => {
  const alone = (more: string) => ({ 'tenant.yaml': texts['tenant.yaml'].replace(/ {2}ben:.*\n/, '').replace('domains:', `${more}domains:`) });

  it('waits for nobody, and every record of what it changes says so', async () => {
    await world.apply(alone('personal: true\n'));
    expect(await world.apply({ ...alone('personal: true\n'), ...wider }, ada)).toMatchObject({ ok: true, applied: true, waiting: [] });
    expect((await bodies()).map(({ type, personal }) => [type, personal])).toEqual([
      ['configuration.applied', true],
      ['configuration.applied', true],
    ]);
  });

  it('is not what one admin makes of it alone', async () => {
    await world.apply(alone(''));
    const answer = await world.apply(alone('personal: true\n'), ada);
    expect(answer).toMatchObject({ ok: true, applied: false, waiting: [{ touches: ['everything'] }] });
    expect(await stored('Tenant')).toMatchObject({ personal: false });
  });
});

describe("the operator's document, changed by an operator at the door", () => {
  it('waits for another operator; what narrows does not', async () => {
    const operators = (list: string, trust = '') => ({
      'platform.yaml': `${texts['platform.yaml'].replace('taskgate, for', `taskgate${trust}, for`)}operators: [${list}]\n`,
    });
    await found(operators('"local#ada", "local#eve"'));
    const asOperator = { ...ada, platform: 'allowed' } as const;
    const answer = await applied(operators('"local#ada", "local#eve", "local#ben"'), asOperator);
    expect(answer).toMatchObject({ applied: false, waiting: [{ needs: 'operator', tenant: 'tiny' }] });
    const change = answer.waiting[0];
    expect(await approve(change?.id ?? '', change?.digest ?? '', { tenant: 'tiny', id: 'local#ada', name: 'ada' })).toMatchObject({ code: 'change.own' });
    expect((await applied(operators('"local#ada"'), asOperator)).applied).toBe(true);
    expect(await approve(change?.id ?? '', change?.digest ?? '')).toMatchObject({ code: 'change.not_operator' });
    await applied(operators('"local#ada", "local#eve"'), {});
    const again = await applied(operators('"local#ada", "local#eve", "local#ben"'), asOperator);
    expect(await approve(again.waiting[0]?.id ?? '', again.waiting[0]?.digest ?? '')).toMatchObject({ ok: true });
    expect((await world.ports.store.readPlatform())?.body).toMatchObject({ operators: ['local#ada', 'local#eve', 'local#ben'] });
  });
});
