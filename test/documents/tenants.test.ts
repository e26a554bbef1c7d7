import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrokenConfiguration, createTenants, type TenantSnapshot, upstreamTarget } from '../../server/documents/index.ts';
import type { Store } from '../../server/store/index.ts';
import { edited, makeWorld } from './world.ts';

let world: Awaited<ReturnType<typeof makeWorld>>;
beforeAll(async () => {
  world = await makeWorld();
  expect(await world.apply()).toMatchObject({ ok: true, applied: true });
});
afterAll(() => world.close());

const log = { error: () => undefined, info: () => undefined };
function counting(store: Store) {
  const counts = { configuration: 0 };
  const counted: Store = {
    ...store,
    readConfiguration(tenant) {
      counts.configuration++;
      return store.readConfiguration(tenant);
    },
  };
  return { counts, store: counted };
}

describe('snapshots', () => {
  it('hold all that a call is judged under', async () => {
    const snapshot = (await createTenants(world.ports.store, log).current('tiny')) as TenantSnapshot;
    expect([...snapshot.tools.keys()]).toEqual(['things__look', 'things__touch']);
    expect(snapshot.useCases.get('garden')?.grants.map(({ tool, digest }) => [tool, digest])).toEqual(
      [...snapshot.tools.values()].map(({ name, digest }) => [name, digest]),
    );
    expect(snapshot.agents.get('gardener')?.workflow).toBe('gardening');
    expect(snapshot.trust.map((root) => root.for)).toEqual(['workloads', 'people']);
    expect(snapshot.upstreams.get('things')?.command?.run[0]).toBe('node');
    expect(snapshot.policy.tenant).toBe('tiny');
  });

  it('are compiled once for a revision, however many ask at once', async () => {
    const { counts, store } = counting(world.ports.store);
    const tenants = createTenants(store, log);
    const all = await Promise.all(Array.from({ length: 20 }, () => tenants.current('tiny')));
    expect(new Set(all).size).toBe(1);
    await tenants.current('tiny');
    expect(counts.configuration).toBe(1);
  });

  it('are null for a tenant that is not there and for a revision that has passed', async () => {
    const tenants = createTenants(world.ports.store, log);
    const snapshot = await tenants.current('tiny');
    expect(await tenants.current('none')).toBeNull();
    expect(await tenants.at('tiny', (snapshot?.revision ?? 0) + 1)).toBeNull();
    expect(await tenants.at('tiny', snapshot?.revision ?? 0)).toBe(snapshot);
  });

  const stored = async () => {
    const configuration = await world.ports.store.readConfiguration('tiny');
    if (!configuration) throw new Error('nothing stored');
    return configuration;
  };
  const broken: readonly [name: string, change: (good: Awaited<ReturnType<typeof stored>>) => object][] = [
    [
      'a pin that was tampered with',
      ({ pins }) => ({ policies: [], pins: pins.map((pin) => ({ ...pin, definition: { ...pin.definition, description: 'other' } })) }),
    ],
    ['a pin that is missing', () => ({ policies: [], pins: [] })],
    ['a policy that does not parse', () => ({ policies: [{ file: 'x.cedar', text: 'permit', cases: null }] })],
    ['no Tenant document', ({ documents }) => ({ documents: documents.filter(({ kind }) => kind !== 'Tenant') })],
  ];
  for (const [name, change] of broken) {
    it(`are refused, not guessed, for a store with ${name}`, async () => {
      const good = await stored();
      const store: Store = { ...world.ports.store, readConfiguration: async () => ({ ...good, ...change(good) }) };
      await expect(createTenants(store, log).current('tiny')).rejects.toBeInstanceOf(BrokenConfiguration);
    });
  }

  it('are compiled from text that a process thrown away has compiled: when it was applied, or else before anything here does', async () => {
    const started: ChildProcess[] = [];
    const note = (message: unknown) => void started.push((message as { process: ChildProcess }).process);
    const vetters = () => started.filter(({ spawnargs }) => spawnargs.some((arg) => arg.includes('policies/vet/'))).length;
    subscribe('child_process', note);
    try {
      const good = await stored();
      expect(good.vetted).toEqual(expect.any(String));
      await createTenants(world.ports.store, log).current('tiny');
      expect(await world.apply()).toMatchObject({ applied: false });
      expect(vetters()).toBe(0);
      for (const [index, vetted] of [undefined, null, 'of other text'].entries()) {
        const store = { ...world.ports.store, readConfiguration: async () => ({ ...good, vetted }) } as Store;
        expect((await createTenants(store, log).current('tiny'))?.revision).toBe(good.revision);
        expect(vetters()).toBe(index + 1);
      }
      // What decides neither text nor cases is applied without asking again; what does is asked.
      const shed = edited('tenant.yaml', 'domains: [garden]', 'domains: [garden, shed]');
      expect(await world.apply(shed)).toMatchObject({ applied: true });
      expect(vetters()).toBe(3);
      expect(await world.apply({ ...shed, ...edited('tenants/tiny/law.cedar', 'permit', '// seen\npermit') })).toMatchObject({ applied: true });
      expect(vetters()).toBe(4);
      expect((await stored()).vetted).not.toBe(good.vetted);
    } finally {
      unsubscribe('child_process', note);
    }
  });

  it('that fail twice are not compiled again and again', async () => {
    let reads = 0;
    const good = await stored();
    const readConfiguration = async () => {
      reads += 1;
      return { ...good, policies: [{ file: 'x.cedar', text: 'permit', cases: null }] };
    };
    const tenants = createTenants({ ...world.ports.store, readConfiguration }, log);
    for (let count = 0; count < 5; count++) await expect(tenants.current('tiny')).rejects.toBeInstanceOf(BrokenConfiguration);
    expect(reads).toBe(2);
  });

  it('are refused when the operator has taken the trust away', async () => {
    const store: Store = { ...world.ports.store, readPlatform: async () => null };
    await expect(createTenants(store, log).current('tiny')).rejects.toBeInstanceOf(BrokenConfiguration);
  });

  it('come with the operator’s document of their own revision, also when it changes while they are read', async () => {
    const { store } = world.ports;
    let moved = false;
    const racing: Store = {
      ...store,
      async readPlatform() {
        const before = await store.readPlatform();
        if (!moved) {
          moved = true;
          await world.apply(edited('platform.yaml', 'audience: taskgate', 'audience: moved'));
        }
        return before;
      },
    };
    const snapshot = await createTenants(racing, log).current('tiny');
    expect(snapshot?.trust[1]).toMatchObject({ audience: 'moved' });
    expect(snapshot?.revision).toBe(await store.readRevision('tiny'));
  });
});

describe('how an upstream is reached', () => {
  const credential = (inject: object) =>
    new Map([['key', { apiVersion: 'taskgate/v1', kind: 'Credential', tenant: 'tiny', name: 'key', type: 'static', inject } as never]]);
  const parts = (transport: object, inject: object) => ({
    upstreams: new Map([
      [
        'up',
        {
          document: { transport, credential: 'key', egress: ['h:1'], tools: [{ name: 't' }] } as never,
          command: { run: ['node', '/x'], allow_read: ['/r'], allow_write: ['/w'], background: false },
        },
      ],
    ]),
    credentials: credential(inject),
  });
  it('over stdio carries the secret in the child’s environment alone', () => {
    const stdio = parts({ type: 'stdio', command: 'c', env: { MODE: 'm' } }, { env: 'KEY' });
    expect(upstreamTarget(stdio, 'up', 's3cret')).toEqual({
      type: 'stdio',
      run: ['node', '/x'],
      allowRead: ['/r'],
      allowWrite: ['/w'],
      env: { MODE: 'm', KEY: 's3cret' },
    });
    expect(upstreamTarget(stdio, 'up', null)).toMatchObject({ env: { MODE: 'm' } });
  });
  it('over http carries it in the named header, with its prefix', () => {
    const http = parts({ type: 'http', url: 'https://h:1/mcp' }, { header: 'Authorization', prefix: 'Bearer ' });
    expect(upstreamTarget(http, 'up', 's3cret')).toEqual({
      type: 'http',
      url: 'https://h:1/mcp',
      headers: { Authorization: 'Bearer s3cret' },
      egress: ['h:1'],
    });
    expect(upstreamTarget(http, 'up', null)).toMatchObject({ headers: {} });
  });
  it('never carries a secret where its credential does not say', () => {
    expect(JSON.stringify(upstreamTarget(parts({ type: 'http', url: 'https://h:1/mcp' }, { env: 'KEY' }), 'up', 's3cret'))).not.toContain('s3cret');
  });
  it('is not known for a name that is not there', () => {
    expect(() => upstreamTarget({ upstreams: new Map(), credentials: new Map() }, 'constructor', null)).toThrow();
  });
});
