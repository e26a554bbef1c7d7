import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredRecord } from '../../server/audit/record.ts';
import { createTenants, noticesOf, renderPlan } from '../../server/documents/index.ts';
import { edited, makeWorld, type Texts, texts } from './world.ts';

let world: Awaited<ReturnType<typeof makeWorld>>;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world.close());

const records = (tenant: string | null): Promise<readonly StoredRecord[]> => world.ports.store.readRecords(tenant, 0, 100);
async function applied(...args: Parameters<typeof world.apply>) {
  const answer = await world.apply(...args);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
  return answer;
}
async function problemsOf(...args: Parameters<typeof world.apply>) {
  const answer = await world.apply(...args);
  if (answer.ok) throw new Error(renderPlan(answer.plan));
  expect(answer.problems.every(({ cause, remedy }) => cause !== '' && remedy !== '')).toBe(true);
  return answer.problems;
}
const place = ({ file, line, path }: { file: string; line: number | null; path: string }) => `${file}:${line} ${path}`;

describe('applying for the first time', () => {
  it('founds the tenant, pins what its upstream lists, expands its globs, and records who did it', async () => {
    const { plan, applied: did } = await applied();
    expect(did).toBe(true);
    expect(plan.founding).toEqual(['platform', 'tiny']);
    expect(renderPlan(plan)).toContain('tiny (founding');
    expect(renderPlan(plan)).not.toContain('waits');

    const stored = await world.ports.store.readConfiguration('tiny');
    expect(stored?.pins.map(({ upstream, tool }) => `${upstream}/${tool}`)).toEqual(['things/look', 'things/touch']);
    expect(stored?.useCases[0]?.grants.map(({ tool, maxCalls }) => [tool, maxCalls])).toEqual([
      ['things__look', null],
      ['things__touch', 3],
    ]);
    const [record] = await records('tiny');
    expect(record?.body).toMatchObject({ type: 'configuration.applied', tenant: 'tiny', actor: 'operator', founding: true });
    expect(record?.body.changes?.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining([
        'Tenant tiny',
        'Agent gardener',
        'UseCase garden',
        'Upstream things',
        'Policy law.cedar',
        'Pin things/look',
        'Platform platform',
      ]),
    );
    expect((await records(null))[0]?.body).toMatchObject({ type: 'configuration.applied', actor: 'operator', changes: [{ kind: 'Platform' }] });
  });

  it('does nothing the second time: no revision, no record, no upstream asked', async () => {
    await applied();
    const upstreams = { ...world.ports.upstreams, connect: () => Promise.reject(new Error('asked')) };
    Object.assign(world.ports, { upstreams: { ...upstreams, close: () => world.ports.upstreams.close } });
    const again = await applied();
    expect(again).toMatchObject({ applied: false, plan: { items: [] } });
    expect(await world.ports.store.readRevision('tiny')).toBe(1);
    expect(await records('tiny')).toHaveLength(1);
  });

  it('only plans when told so', async () => {
    const { plan, applied: did } = await applied({}, { dryRun: true });
    expect(did).toBe(false);
    expect(plan.items.length).toBeGreaterThan(5);
    expect(await world.ports.store.listTenants()).toEqual([]);
    expect(await records('tiny')).toEqual([]);
  });
});

describe('one bad document among good ones', () => {
  const rows: readonly [name: string, change: Parameters<typeof world.apply>[0], where: string][] = [
    ['an owner who is nobody', edited('agent.yaml', 'owner: ada', 'owner: eve'), 'agent.yaml:4 owner'],
    ['an owner named like a property of every object', edited('agent.yaml', 'owner: ada', 'owner: constructor'), 'agent.yaml:4 owner'],
    ['a foreign trust domain', edited('agent.yaml', 'tiny.example', 'other.example'), 'agent.yaml:7 identity'],
    ['a workflow nobody does', edited('use-case.yaml', 'workflow: gardening', 'workflow: mining'), 'use-case.yaml:4 workflow'],
    ['a usual life longer than the longest', edited('use-case.yaml', 'default: 30m', 'default: 1d'), 'use-case.yaml:13 lifetime.default'],
    ['a glob that matches nothing', edited('use-case.yaml', 'things__*', 'thing__*'), 'use-case.yaml:10 grants[0].tools[0]'],
    ['a glob whose effect matches nothing', edited('use-case.yaml', 'effect: read', 'effect: destructive'), 'use-case.yaml:10 grants[0].tools[0]'],
    ['a tool that is not registered', edited('use-case.yaml', 'tool: things__touch', 'tool: things__toss'), 'use-case.yaml:11 grants[1].tool'],
    [
      'a constraint on an argument that is not there',
      edited('use-case.yaml', 'amount: { maximum', 'amuont: { maximum'),
      'use-case.yaml:11 grants[1].arguments.amuont',
    ],
    ['an input that is not there', edited('use-case.yaml', 'inputs.what', 'inputs.whta'), 'use-case.yaml:11 grants[1].arguments.what'],
    ['an origin of what is no target', edited('use-case.yaml', 'max_calls: 3', 'origins: { where: [trusted] }'), 'use-case.yaml:11 grants[1].origins.where'],
    ['an input schema that blocks the loop', edited('use-case.yaml', 'maxLength: 20', 'pattern: "(?=a)b"'), 'use-case.yaml:8 inputs.what'],
    ['a command that is not there', edited('upstream.yaml', 'command: tiny', 'command: tinny'), 'upstream.yaml:4 transport.command'],
    ['a credential that is not there', edited('upstream.yaml', 'tools:', 'credential: key\ntools:'), 'upstream.yaml:5 credential'],
    [
      'an environment that steers Node',
      edited('upstream.yaml', 'command: tiny', 'command: tiny, env: { NODE_OPTIONS: x }'),
      'upstream.yaml:4 transport.env.NODE_OPTIONS',
    ],
    ['a category that is not there', edited('upstream.yaml', '[garden]', '[gardn]'), 'upstream.yaml:6 tools[0].returns.categories[0]'],
    ['a tool the upstream does not list', edited('upstream.yaml', 'name: look', 'name: peek'), 'upstream.yaml:6 tools[0].name'],
    ['a person of another issuer', edited('tenant.yaml', 'local#ben', 'https://evil.example#ben'), 'tenant.yaml:6 people.ben.subject'],
    ['one person under two names', edited('tenant.yaml', 'local#ben', 'local#ada'), 'tenant.yaml:6 people.ben.subject'],
    [
      'an orchestrator with the name of an agent',
      edited('tenant.yaml', 'domains:', 'orchestrators: { gardener: { jwk: { kty: OKP, crv: Ed25519, x: AAAA } } }\ndomains:'),
      'tenant.yaml:3 orchestrators.gardener',
    ],
    [
      'a budget of an amount that cannot be counted exactly',
      edited('use-case.yaml', 'calls: 20', 'calls: 20, amount: 0.00001'),
      'use-case.yaml:14 budget.amount',
    ],
    [
      'a daily budget of an amount that cannot be counted exactly',
      edited('use-case.yaml', 'calls: 20', 'calls: 20, per_day: { amount: 10.12345 }'),
      'use-case.yaml:14 budget.per_day.amount',
    ],
    ['a personal tenant of two', edited('tenant.yaml', 'domains:', 'personal: true\ndomains:'), 'tenant.yaml:3 personal'],
    [
      'a policy nested so deep that reading it would end the engine',
      {
        'tenants/tiny/law.cedar': `${texts['tenants/tiny/law.cedar']}@id("tiny/deep") permit (principal, action, resource) when { ${'('.repeat(400)}true${')'.repeat(400)} };`,
      },
      'tenants/tiny/law.cedar:4 ',
    ],
    [
      'a policy with a number that no argument can be compared with exactly',
      edited('tenants/tiny/law.cedar', '"gardening" }', '"gardening" && context.now < 9007199254740993 }'),
      'tenants/tiny/law.cedar:3 ',
    ],
    ['a policy that does not parse', { 'tenants/tiny/law.cedar': 'permit (principal' }, 'tenants/tiny/law.cedar:1 '],
    [
      'a case that does not hold',
      edited('tenants/tiny/law.cases.yaml', 'decision: allow', 'decision: deny'),
      'tenants/tiny/law.cases.yaml:null the gardener may look',
    ],
    ['a policy no case would miss', { 'tenants/tiny/law.cases.yaml': null }, 'tenants/tiny/law.cases.yaml:null tiny/gardener-may-use-its-grants'],
  ];
  for (const [name, change, where] of rows) {
    it(`leaves everything as it was and points at it: ${name}`, async () => {
      const problems = await problemsOf(change);
      expect(problems.map(place)).toContain(where);
      expect(await world.ports.store.listTenants()).toEqual([]);
      expect(await world.ports.store.readPlatform()).toBeNull();
      expect(await records(null)).toEqual([]);
    });
  }

  it('names the upstream that does not answer', async () => {
    const problems = await problemsOf({ 'platform.yaml': texts['platform.yaml'].replace(/run: .*\]/, 'run: [node, -e, "process.exit(3)"]') });
    expect(problems[0]).toMatchObject({ file: 'upstream.yaml', line: 4, path: 'transport' });
    expect(problems[0]?.cause).toMatch(/^Upstream things does not answer/);
    expect(await world.ports.store.listTenants()).toEqual([]);
  });

  it('refuses documents of a tenant the operator does not name', async () => {
    const [problem] = await problemsOf(edited('platform.yaml', '  tiny: { trust', '  other: { trust'));
    expect(problem?.cause).toBe('There is no tenant tiny here');
  });
});

describe('one identity, one agent', () => {
  const second = (identity: string) => ({
    'second.yaml': texts['agent.yaml'].replace('name: gardener', 'name: second').replace(/identity: .*/, `identity: ${identity}`),
  });
  it('refuses a second agent of the same SPIFFE ID, at both', async () => {
    const problems = await problemsOf(second('spiffe://tiny.example/agent/gardener'));
    expect(problems.map(place)).toEqual(['agent.yaml:7 identity', 'second.yaml:7 identity']);
  });
  it('knows a key again however it is written, also when an orchestrator has it', async () => {
    const key = '{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    const orchestrator = edited('tenant.yaml', 'domains:', `orchestrators: { boss: { jwk: ${key}, use: sig } } }\ndomains:`);
    const problems = await problemsOf({ ...second(`{ jwk: ${key}, kid: other } }`), ...orchestrator });
    expect(problems.map(place)).toEqual(['tenant.yaml:3 orchestrators.boss.jwk', 'second.yaml:7 identity']);
  });
});

describe('what a caller may not touch', () => {
  const asGuest = { platform: 'refused', tenants: ['guest'] } as const;
  const only = (kept: string, tenant: string): Texts =>
    Object.fromEntries(
      Object.entries(texts).flatMap(([name, text]) => [
        [name, null] as const,
        ...(name === kept ? [[name.replace('tiny', tenant), text.replaceAll('tiny', tenant)] as const] : []),
      ]),
    );
  for (const kept of ['tenant.yaml', 'agent.yaml', 'use-case.yaml', 'upstream.yaml', 'tenants/tiny/law.cedar']) {
    it(`is another tenant's ${kept}, and it looks like one of a tenant that does not exist`, async () => {
      await applied();
      const there = await problemsOf(only(kept, 'tiny'), asGuest);
      const nowhere = await problemsOf(only(kept, 'tony'), asGuest);
      expect(JSON.stringify(nowhere).replaceAll('tony', 'tiny')).toBe(JSON.stringify(there));
      expect(await records('tiny')).toHaveLength(1);
    });
  }

  it('is the operator’s document, unless it is as it stands', async () => {
    await applied();
    expect(await applied({}, { platform: 'refused', tenants: ['tiny'] })).toMatchObject({ applied: false });
    const problems = await problemsOf(edited('platform.yaml', 'says, one', 'says, two'), { platform: 'refused', tenants: ['tiny'] });
    expect(problems.map(({ file }) => file)).toEqual(['platform.yaml']);
  });
});

describe('changing what is there', () => {
  it('keeps what the files leave out, and removes it with prune', async () => {
    const extra = { 'extra.yaml': texts['use-case.yaml'].replace('name: garden', 'name: extra') };
    await applied(extra);
    expect(await applied()).toMatchObject({ applied: false });
    const { plan } = await applied({}, { prune: true });
    expect(plan.items.map(({ kind, name, change, effect }) => [kind, name, change, effect])).toEqual([['UseCase', 'extra', 'removed', 'narrows']]);
    expect((await world.ports.store.readConfiguration('tiny'))?.useCases.map(({ name }) => name)).toEqual(['garden']);
  });

  it('checks what stays against what comes', async () => {
    await applied();
    const [problem] = await problemsOf({
      ...edited('tenant.yaml', 'ada: { subject: "local#ada"', 'eve: { subject: "local#eve"'),
      'agent.yaml': null,
      'use-case.yaml': null,
    });
    expect(problem).toMatchObject({ file: 'agent.yaml', line: null, path: 'owner' });
  });

  it('says what else there is to know: warnings, and why no second admin is asked for', async () => {
    const alone = texts['tenant.yaml'].replace(/ {2}ben:.*\n/, '').replace('domains:', 'personal: true\ndomains:');
    const founded = await applied({ 'tenant.yaml': alone });
    const nobody = 'tiny: UseCase garden: nobody is in the group crew, so nobody may sponsor by it';
    expect(noticesOf(founded)).toEqual([
      nobody,
      'platform is founded: one admin, no waiting.',
      'tiny is founded: one admin, no waiting.',
      'tiny has one person: no second admin.',
    ]);
    const narrowed = await applied({ 'tenant.yaml': alone, ...edited('use-case.yaml', 'ceiling: internal', 'ceiling: public') });
    expect(noticesOf(narrowed)).toEqual([nobody, 'tiny has one person: no second admin.']);
  });

  it('warns when votes are to be signed and there is nobody to confirm every passkey', async () => {
    const one = texts['tenant.yaml'].replace(/ {2}ben:.*\n/, '').replace('domains:', 'approvals: { passkey_for: destructive }\ndomains:');
    expect(noticesOf(await applied({ 'tenant.yaml': one })).join()).toContain('nobody to confirm the passkey of every reviewer');
  });

  it('refuses drift: another definition under an unchanged document', async () => {
    await applied();
    const before = await world.ports.store.readConfiguration('tiny');
    const problems = await problemsOf(edited('platform.yaml', 'says, one', 'says, two'));
    expect(problems.map(place)).toEqual(['upstream.yaml:6 tools[0].name']);
    expect(await world.ports.store.readConfiguration('tiny')).toEqual(before);
  });

  it('takes another definition when the document changed too, as a widening of it and of what grants it', async () => {
    await applied();
    const { plan } = await applied({
      ...edited('platform.yaml', 'says, one', 'says, two'),
      ...edited('upstream.yaml', 'name: look,', 'name: look, says: Looks,'),
    });
    expect(plan.items.map(({ kind, effect }) => [kind, effect])).toEqual([
      ['Platform', 'widens'],
      ['UseCase', 'widens'],
      ['Upstream', 'widens'],
    ]);
    expect(plan.items[1]?.differences).toEqual(['things__look: another definition (widens)']);
  });

  it('moves the revision of a tenant whose trust changed, so that nobody judges by the old one', async () => {
    await applied();
    const tenants = createTenants(world.ports.store, world.ports.log);
    const before = await tenants.current('tiny');
    await applied(edited('platform.yaml', 'audience: taskgate', 'audience: other'));
    const after = await tenants.current('tiny');
    expect(after?.revision).toBe((before?.revision ?? 0) + 1);
    expect(after?.trust[1]).toMatchObject({ audience: 'other' });
    expect(await tenants.at('tiny', before?.revision ?? 0)).toBeNull();
  });

  it('goes one after the other when two apply at once: one changes, the other finds nothing to do', async () => {
    const answers = await Promise.all([applied(), applied(), applied()]);
    expect(answers.map((answer) => answer.applied)).toEqual([true, false, false]);
    expect(await records('tiny')).toHaveLength(1);
  });

  it('looks again when another process moved the configuration on meanwhile', async () => {
    await applied();
    const { store } = world.ports;
    const apply = store.applyConfiguration.bind(store);
    let raced = false;
    Object.assign(world.ports, {
      store: {
        ...store,
        async applyConfiguration(change: Parameters<typeof apply>[0]) {
          const current = await store.readConfiguration('tiny');
          if (!raced && current) {
            raced = true;
            await apply({ platform: null, tenants: [{ expectedRevision: current.revision, next: current, records: [] }] });
          }
          return apply(change);
        },
      },
    });
    expect(await applied(edited('agent.yaml', 'clearance: internal', 'clearance: public'))).toMatchObject({ applied: true });
    expect(await store.readRevision('tiny')).toBe(3);
    Object.assign(world.ports, { store });
  });
});
