import { beforeEach, describe, expect, it } from 'vitest';
import { isRefusal } from '../../server/call/index.ts';
import { config } from '../../server/config.ts';
import { askerOf, createLimits, type Limits } from '../../server/limits/index.ts';

const ses = (session: string, agent = 'one', tenant = 'acme') => ({ tenant, agent, session });
const none = { signal: new AbortController().signal, aside: <T>(wait: () => Promise<T>): Promise<T> => wait() };

let now = 1_000_000;
let limits: Limits;
const make = (settings: object): Limits => createLimits(config.parse({ limits: settings }).limits, () => now);
beforeEach(() => {
  now = 1_000_000;
});

describe('requests', () => {
  const few = { session: { per_second: 1, burst: 2 }, agent: { per_second: 1, burst: 3 }, tenant: { per_second: 1, burst: 4 } };
  const passed = (who: ReturnType<typeof ses>) => limits.countRequest(who, 0) === null;

  it('of one session, then of all sessions of an agent, then of all agents of a tenant are limited, and of another tenant not at all', () => {
    limits = make({ requests: few });
    expect([passed(ses('s1')), passed(ses('s1')), passed(ses('s1'))]).toEqual([true, true, false]);
    expect([passed(ses('s2')), passed(ses('s2'))]).toEqual([true, false]);
    expect([passed(ses('s3', 'two')), passed(ses('s3', 'two'))]).toEqual([true, false]);
    expect(passed(ses('s1', 'one', 'globex'))).toBe(true);
  });

  it('that were refused take nothing from the agent or the tenant', () => {
    limits = make({ requests: few });
    for (let i = 0; i < 100; i++) passed(ses('s1'));
    expect(passed(ses('s2'))).toBe(true);
  });

  it('get no further while a tenant has too many answers to read, and do again once it has read them', () => {
    limits = make({ bytes: { answers: 1_048_576 } });
    limits.holdAnswer('acme', 1_048_000);
    expect(passed(ses('s1'))).toBe(true);
    limits.holdAnswer('acme', 1_048_000);
    expect(limits.countRequest(ses('s1'), 0)).toMatchObject({ refused: 'limit.exceeded', message: expect.stringContaining('wait to be read') });
    expect(passed(ses('s1', 'one', 'globex'))).toBe(true);
    limits.releaseAnswer('acme', 1_048_000);
    expect(passed(ses('s1'))).toBe(true);
  });

  it.each([
    ['beside another tenant', true, 1],
    ['alone', false, 4],
  ])('of a tenant that has most of all under way %s are worked on by as many as that allows', async (_, beside, most) => {
    limits = make({ working: { greedy: 1 } });
    for (const tenant of beside ? ['acme', 'globex'] : ['acme']) limits.countRequest(ses('s', 'one', tenant), 0);
    const ends: (() => void)[] = [];
    const all = Array.from({ length: 13 }, () => limits.inTurn(ses('s'), 0, null, () => new Promise<void>((end) => ends.push(end))));
    const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
    // Those that came before it had most began at once.
    for (const end of ends.splice(0)) end();
    await turn();
    await turn();
    expect(ends).toHaveLength(most);
    for (let left = 0; left < 13; left++) {
      for (const end of ends.splice(0)) end();
      await turn();
      await turn();
    }
    await Promise.all(all);
  });

  it('that waited for their turn are not worked on while their tenant has too many answers to read', async () => {
    limits = make({ bytes: { answers: 1_048_576 }, working: { session: 1 } });
    let leave: () => void = () => undefined;
    const first = limits.inTurn(ses('s1'), 0, null, () => new Promise<void>((resolve) => (leave = resolve)));
    const second = limits.inTurn(ses('s1'), 0, null, async () => 'worked');
    limits.holdAnswer('acme', 1_048_577);
    leave();
    await first;
    expect(await second).toMatchObject({ refused: 'limit.exceeded', message: expect.stringContaining('wait to be read') });
    limits.releaseAnswer('acme', 1_048_577);
    expect(await limits.inTurn(ses('s1'), 0, null, async () => 'worked')).toBe('worked');
  });

  it('say in whole seconds when to come again, and pass then', () => {
    limits = make({ requests: { session: { per_second: 0.5, burst: 1 } } });
    expect(passed(ses('s1'))).toBe(true);
    expect(limits.countRequest(ses('s1'), 0)).toMatchObject({ refused: 'limit.exceeded', retryAfter: 2 });
    now += 2_000;
    expect(passed(ses('s1'))).toBe(true);
  });

  it('are turned away once too many calls of the session or the agent were refused, until that has worn off', () => {
    limits = make({ refusals: { session: { per_second: 1, burst: 3 }, agent: { per_second: 1, burst: 5 } } });
    for (let i = 0; i < 3; i++) limits.countRefusal(ses('s1'));
    expect([passed(ses('s1')), passed(ses('s2'))]).toEqual([false, true]);
    for (let i = 0; i < 2; i++) limits.countRefusal(ses('s2'));
    expect([passed(ses('s2')), passed(ses('s9')), passed(ses('s3', 'two'))]).toEqual([false, false, true]);
    now += 2_000;
    expect(passed(ses('s2'))).toBe(true);
  });

  it('of a connection token are its own before, in and after the sessions it opens', () => {
    const hash = 'ab'.repeat(32);
    const before = askerOf({ tenant: 'acme', agent: 'one', hash });
    expect(askerOf({ tenant: 'acme', agent: 'one', session: 'ses_1', tokenId: 'connection/abababababababab' })).toEqual(before);
    expect(askerOf({ tenant: 'acme', agent: 'one', session: 'ses_1', tokenId: 'tok_1' })).toEqual(ses('ses_1'));
  });
});

describe('work', () => {
  const gate = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { open: resolve, work: async () => promise };
  };

  it('begins at once where there is a place, else in its turn, and is refused when that does not come in time', async () => {
    limits = make({ working: { all: 1, tenant: 1, session: 1 }, wait_ms: 20 });
    const { open, work } = gate();
    const first = limits.inTurn(ses('s1'), 0, null, work);
    expect(await limits.inTurn(ses('s2'), 0, null, async () => 'ran')).toMatchObject({ refused: 'limit.exceeded', detail: 'no turn in time' });
    const waits = limits.inTurn(ses('s1', 'x', 'globex'), 0, null, async (_aside, waited) => waited);
    open();
    await first;
    expect(await waits).toBe(true);
    expect(limits.remembered(now)).toBe(0);
  });

  it('that is let aside for a wait keeps nobody from working meanwhile', async () => {
    limits = make({ working: { all: 1, tenant: 1, session: 1 } });
    const { open, work } = gate();
    const held = limits.inTurn(ses('s1'), 0, null, (aside) => aside(work));
    expect(await limits.inTurn(ses('s2'), 0, null, async () => 'ran')).toBe('ran');
    open();
    await held;
    expect(limits.remembered(now)).toBe(0);
  });

  it('whose client has gone away leaves the line', async () => {
    limits = make({ working: { all: 1, tenant: 1, session: 1 } });
    const { open, work } = gate();
    const first = limits.inTurn(ses('s1'), 0, null, work);
    const gone = new AbortController();
    const second = limits.inTurn(ses('s2'), 0, gone.signal, async () => 'ran');
    gone.abort();
    expect(await second).toMatchObject({ refused: 'call.cancelled' });
    open();
    await first;
    expect(limits.remembered(now)).toBe(0);
  });

  it.each([
    ['session', { session: 1 }, ses('s1')],
    ['agent', { agent: 1 }, ses('s2')],
    ['tenant', { tenant: 1 }, ses('s3', 'two')],
  ])('under way is counted for each %s, and given back also when it fails', async (_what, in_flight, other) => {
    limits = make({ in_flight });
    const { open, work } = gate();
    const first = limits.inTurn(ses('s1'), 0, null, async (aside) => {
      await aside(work);
      throw new Error('failed');
    });
    expect(isRefusal(await limits.inTurn(other, 0, null, async () => 'ran'))).toBe(true);
    expect(await limits.inTurn({ ...other, tenant: 'globex' }, 0, null, async () => 'ran')).toBe('ran');
    open();
    await expect(first).rejects.toThrow('failed');
    expect(await limits.inTurn(other, 0, null, async () => 'ran')).toBe('ran');
    expect(limits.remembered(now)).toBe(0);
  });

  it('takes no more bytes than its tenant may have, read and held together', async () => {
    limits = make({ bytes: { bodies: 1_048_576 } });
    expect(limits.holdBody('acme', 1_000_000)).toBe(true);
    expect(limits.holdBody('acme', 100_000)).toBe(false);
    expect(isRefusal(await limits.inTurn(ses('s1'), 100_000, null, async () => 'ran'))).toBe(true);
    expect(limits.holdBody('globex', 1_000_000)).toBe(true);
    limits.releaseBody('acme', 1_000_000);
    expect(await limits.inTurn(ses('s1'), 100_000, null, async () => 'ran')).toBe('ran');
  });
});

describe('an upstream', () => {
  const ledger = { name: 'ledger', most: 2, resultBytes: 1 };

  it('that hangs for one session has room for another, and none of it is felt at another upstream', async () => {
    limits = make({ wait_ms: 20 });
    const { promise: hanging, resolve: end } = Promise.withResolvers<string>();
    const first = limits.atUpstream(ledger, ses('s1'), none, () => hanging);
    expect(isRefusal(await limits.atUpstream(ledger, ses('s1'), none, async () => 'ran'))).toBe(true);
    expect(await limits.atUpstream(ledger, ses('s2'), none, async () => 'ran')).toBe('ran');
    expect(await limits.atUpstream({ ...ledger, name: 'mail' }, ses('s1'), none, async () => 'ran')).toBe('ran');
    expect(await limits.atUpstream(ledger, ses('s1', 'one', 'globex'), none, async () => 'ran')).toBe('ran');
    end('done');
    expect(await first).toBe('done');
    expect(limits.remembered(now)).toBe(0);
  });

  it('is not waited for with more answers on their way than the tenant may hold', async () => {
    limits = make({ bytes: { results: 1_048_576 } });
    const { promise: hanging, resolve: end } = Promise.withResolvers<string>();
    const big = { ...ledger, resultBytes: 1_048_576 };
    const first = limits.atUpstream(big, ses('s1'), none, () => hanging);
    expect(await limits.atUpstream(big, ses('s2'), none, async () => 'ran')).toMatchObject({ refused: 'limit.exceeded' });
    end('done');
    await first;
    expect(await limits.atUpstream(big, ses('s2'), none, async () => 'ran')).toBe('ran');
  });
});
