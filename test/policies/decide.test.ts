import { describe, expect, test } from 'vitest';
import { acme, call, compiled, payment, permit, source } from './tenants.ts';

const forbid = (name: string, rest: string, annotations = '') => `
@id("acme/${name}")
@reason("because of ${name}")
${annotations}
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
${rest};`;

const asks = (literal: string) => `unless { context.satisfied.contains("${literal}") }`;

describe('two judgements', () => {
  test('a permit and no forbid: allow, with the permit', async () => {
    const policy = await compiled(source(permit));
    expect(policy.decide(call())).toEqual({ decision: 'allow', policies: [{ id: 'acme/matcher', reason: null }] });
  });

  test('no permit: deny, and nobody is asked although a forbid names a requirement', async () => {
    const policy = await compiled(source(permit + forbid('ask', asks('approval:finance'))));
    expect(policy.decide(call({ agent: { workflow: 'gardening' } }))).toEqual({ decision: 'deny', cause: 'no_permit', policies: [], detail: null });
  });

  test('only forbids that name requirements: require all of them, waiting the shortest time', async () => {
    const text = permit + forbid('ask', asks('approval:finance:2'), '@expires("30m")') + forbid('confirm', asks('confirm:sponsor'), '@expires("90s")');
    const decision = (await compiled(source(text))).decide(call());
    expect(decision).toMatchObject({ decision: 'require', expiresIn: 90, policies: [{ id: 'acme/ask' }, { id: 'acme/confirm' }] });
    expect(decision.decision === 'require' && decision.requirements.map(({ literal }) => literal)).toEqual(['approval:finance:2', 'confirm:sponsor']);
  });

  test('what is satisfied lifts its forbid and no other', async () => {
    const policy = await compiled(source(permit + forbid('ask', asks('approval:finance:2')) + forbid('confirm', asks('confirm:sponsor'))));
    const decision = policy.decide(call({ satisfied: ['approval:finance', 'approval:finance:2'] }));
    expect(decision).toMatchObject({ decision: 'require', policies: [{ id: 'acme/confirm' }], expiresIn: null });
    expect(policy.decide(call({ satisfied: ['approval:finance:2', 'confirm:sponsor'] })).decision).toBe('allow');
    expect(policy.decide(call({ satisfied: ['approval:finance'] })).decision).toBe('require');
  });

  test('an absolute forbid beside one that asks: deny, naming only the absolute one', async () => {
    const policy = await compiled(source(permit + forbid('ask', asks('approval:finance')) + forbid('never', '')));
    expect(policy.decide(call())).toMatchObject({ decision: 'deny', cause: 'forbidden', policies: [{ id: 'acme/never', reason: 'because of never' }] });
  });

  test('votes for two satisfy one: the weaker of two requirements of a group is not asked for again', async () => {
    const policy = await compiled(source(permit + forbid('one', asks('approval:finance')) + forbid('two', asks('approval:finance:2'))));
    expect(policy.decide(call())).toMatchObject({ requirements: [{ literal: 'approval:finance:2' }], policies: [{ id: 'acme/one' }, { id: 'acme/two' }] });
  });
});

describe('break-glass', () => {
  const lifts = async (...forbids: string[]): Promise<readonly string[] | undefined> => {
    const decision = (await compiled(source(permit + forbids.join('')))).decide(call());
    return decision.decision === 'require' ? decision.breakGlass : ['not asked'];
  };
  const marked = '@break_glass';

  test('may satisfy what marked forbids ask', async () => {
    expect(await lifts(forbid('ask', asks('approval:finance:2'), marked))).toEqual(['approval:finance:2']);
    expect(await lifts(forbid('ask', asks('approval:finance:2')))).toBeUndefined();
  });

  test('may satisfy no literal that an unmarked forbid asks for as well, for that would lift it too', async () => {
    expect(await lifts(forbid('one', asks('approval:finance'), marked), forbid('two', asks('approval:finance')))).toBeUndefined();
    const mixed = [forbid('one', asks('approval:finance'), marked), forbid('two', asks('confirm:sponsor'), marked), forbid('three', asks('approval:finance'))];
    expect(await lifts(...mixed)).toEqual(['confirm:sponsor']);
  });

  test('is not spoken of beside an absolute forbid', async () => {
    expect(await lifts(forbid('ask', asks('approval:finance'), marked), forbid('never', ''))).toEqual(['not asked']);
  });
});

describe('every error denies', () => {
  const overflow =
    '@id("acme/overflow") @reason("overflows") forbid (principal, action in Taskgate::Action::"call", resource) when { context.now * 9223372036 > 0 };';

  test('a forbid that errs is not skipped', async () => {
    const policy = await compiled(source(permit + overflow));
    expect(policy.decide(call({ now: 1 })).decision).toBe('deny');
    expect(policy.decide(call())).toMatchObject({ decision: 'deny', cause: 'error', detail: expect.stringContaining('overflow') });
  });

  test('an erring permit denies although another permits', async () => {
    const permits =
      '@id("acme/overflow") permit (principal, action in Taskgate::Action::"call", resource) when { principal.workflow == "invoice-matching" && context.now * 9223372036 > 0 };';
    const policy = await compiled(source(permit + permits));
    expect(policy.decide(call())).toMatchObject({ decision: 'deny', cause: 'error' });
  });

  test('a tool the law does not know, or knows under another upstream, is denied', async () => {
    const policy = await compiled(source(permit));
    for (const tool of [{ name: 'ledger__gone' }, { upstream: 'mail' }]) {
      expect(policy.decide(call({ tool }))).toMatchObject({ decision: 'deny', cause: 'error' });
      expect(policy.listable(call({ tool }))).toBe(false);
    }
  });

  test('facts that are not of their type are denied, not guessed', async () => {
    const policy = await compiled(source(permit));
    expect(policy.decide(call({ now: 1.5 }))).toMatchObject({ decision: 'deny', cause: 'error' });
    expect(policy.decide(call({ now: Number.NaN }))).toMatchObject({ decision: 'deny', cause: 'error' });
    expect(policy.decide(call({ session: { live: undefined as unknown as boolean } }))).toMatchObject({ decision: 'deny', cause: 'error' });
  });
});

describe('sets stand apart', () => {
  test('compiling and judging a candidate leaves the live set as it was', async () => {
    const live = await compiled(source(permit));
    expect(live.decide(call()).decision).toBe('allow');
    const candidate = await compiled(source(permit + forbid('never', '')));
    expect(candidate.decide(call()).decision).toBe('deny');
    expect(live.decide(call()).decision).toBe('allow');
    expect(candidate.decide(call()).decision).toBe('deny');
  });

  test('the same tool name in two tenants is two laws', async () => {
    const ours = await compiled(source(permit));
    const theirs = await compiled({
      ...acme,
      tenant: 'globex',
      files: [{ file: 'g.cedar', text: permit.replace('acme/', 'globex/') + forbid('never', '').replace('acme/', 'globex/'), cases: null }],
    });
    const globex = { tenant: 'globex', agent: { tenant: 'globex' }, tool: { tenant: 'globex' }, session: { tenant: 'globex' } };
    expect(theirs.decide(call(globex))).toMatchObject({ decision: 'deny', policies: [{ id: 'globex/never' }] });
    expect(ours.decide(call()).decision).toBe('allow');
  });

  test('a forbid over an upstream or over all calls bites, one over another upstream does not', async () => {
    const over = (group: string) => permit + forbid('group', '').replace('== Taskgate::Action::"ledger__post_payment"', `in Taskgate::Action::"${group}"`);
    expect((await compiled(source(over('upstream:ledger')))).decide(call()).decision).toBe('deny');
    expect((await compiled(source(over('call')))).decide(call()).decision).toBe('deny');
    expect((await compiled(source(over('upstream:mail')))).decide(call()).decision).toBe('allow');
  });
});

test('conditions on sponsor, session, inputs, token, time and tool are judged by the facts', async () => {
  const rules: Record<string, [string, Parameters<typeof call>[0]]> = {
    sponsor: ['context.sponsor.groups.contains("sales")', { sponsor: { groups: ['sales'] } }],
    session: ['context.session.calls >= 3 && context.session.mode == "delegated" && context.session.attested_by == "sponsor"', { session: { calls: 3 } }],
    label: ['context.session.categories.contains("pii")', { session: { label: { sensitivity: 'public', categories: ['pii'], integrity: 'trusted' } } }],
    tainted: ['context.session.integrity < 2', { session: { label: { sensitivity: 'public', categories: [], integrity: 'external' } } }],
    input: ['context.inputs has invoice && context.inputs.invoice != context.args.invoice', { inputs: { invoice: 'INV-8' } }],
    token: ['!context.token.bound', { token: { bound: false } }],
    time: ['context.now > 1800000000', { now: 1_800_000_001 }],
    tool: ['resource.reaches == "external" && resource.effect == "destructive" && principal.owner == "dana"', {}],
  };
  for (const [name, [condition, over]] of Object.entries(rules)) {
    const policy = await compiled(source(permit + forbid(name, `when { ${condition} }`)));
    expect([name, policy.decide(call(over)).decision]).toEqual([name, 'deny']);
    expect([name, policy.decide(call({ inputs: { invoice: 'INV-7' }, tool: { reaches: 'tenant' } })).decision]).toEqual([name, 'allow']);
  }
});

test('an agent, tool and upstream can be named by their ids', async () => {
  const text = `@id("acme/named") permit (
    principal == Taskgate::Agent::"acme/invoice-matcher",
    action == Taskgate::Action::"ledger__post_payment",
    resource in Taskgate::Upstream::"acme/ledger"
  ) when { resource == Taskgate::Tool::"acme/ledger__post_payment" };`;
  const policy = await compiled(source(text, { tools: [payment] }));
  expect(policy.decide(call()).decision).toBe('allow');
  expect(policy.decide(call({ agent: { name: 'other' } })).decision).toBe('deny');
});
