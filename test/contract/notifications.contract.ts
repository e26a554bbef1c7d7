import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NotificationEvent } from '../../server/notifications/event.ts';
import type { Delivery, Store, StoredDocument } from '../../server/store/index.ts';
import { mostWaiting } from '../../server/store/verbs/notifications.ts';
import { applyTenant, ask, body, channel, hour, newVote, open, start, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

const withChannels = async (store: Store, ...documents: readonly StoredDocument[]): Promise<void> =>
  applyTenant(store, 'acme', (await store.readRevision('acme')) ?? 0, documents);

const happened = (about: string, more: Partial<NotificationEvent> = {}): NotificationEvent => ({
  type: 'session.suspended',
  at: start,
  about,
  facts: { session: about },
  ...more,
});
const lease = (name: string, at: number) => ({ lease: name, at, until: at + 60_000 });
const settled = (one: Delivery, name: string, at: number) => ({
  tenant: one.tenant,
  notification: one.notification,
  channel: one.channel,
  lease: name,
  at,
  outcome: { kind: 'delivered' } as const,
  error: null,
  record: null,
});
const all = { after: null, limit: 100 };

export function notificationRules(bench: Bench): void {
  describe('a notification', () => {
    it('is queued with what it tells of: an approval opened, decided and expired, reminded of, a session stopped', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'));
      await open(store, { revision: 2, expiresAt: start + 9 * hour });
      await ask(store, { requirements: ['approval:finance'], expiresAt: start + 9 * hour });
      await store.castVote(newVote('bob', { requirement: 'approval:finance', revision: 2 }));
      await ask(store, { id: 'apr_2', callKey: 'two', expiresAt: start + hour });
      await store.sweep(start + hour / 2);
      await store.sweep(start + hour);
      await store.endSession('acme', 'ses_1', { status: 'revoked', reason: 'left' }, start + 2 * hour, body('session.revoked'));
      const told = (await store.listDeliveries('acme', {}, all)).map(({ type, facts }) => [type, facts.approval ?? facts.session]);
      expect(told.reverse().map(String).sort()).toEqual(
        [
          'approval.requested,apr_1',
          'approval.approved,apr_1',
          'approval.requested,apr_2',
          'approval.reminded,apr_2',
          'approval.expired,apr_2',
          'session.revoked,ses_1',
        ].sort(),
      );
      const [first] = await store.listDeliveries('acme', {}, { after: null, limit: 1 });
      expect(first).toMatchObject({ type: 'session.revoked', facts: { agent: 'matcher', use_case: 'match-invoices' }, status: 'pending', attempts: 0 });
    });

    it('says of an approval the tool, agent, use case, requirement and expiry, and nothing of the call', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'));
      await open(store, { revision: 2 });
      await ask(store);
      const [one] = await store.listDeliveries('acme', {}, all);
      expect(one?.facts).toEqual({
        approval: 'apr_1',
        session: 'ses_1',
        agent: 'matcher',
        use_case: 'match-invoices',
        tool: 'ledger__post_payment',
        requirements: ['approval:finance:2'],
        expires_at: start + hour,
      });
    });

    it('is not queued by what did not happen', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'));
      await open(store, { revision: 2 });
      await ask(store, { requirements: ['approval:finance'] });
      await store.castVote(newVote('bob', { requirement: 'approval:finance', revision: 1 }));
      await store.endSession('acme', 'nobody', { status: 'revoked', reason: 'left' }, start, body('session.revoked'));
      expect((await store.listDeliveries('acme', {}, all)).map(({ type }) => type)).toEqual(['approval.requested']);
    });

    it('goes to each channel that takes its kind, and of break-glass to every one; of another tenant to none', async () => {
      const { store } = bench;
      await withChannels(store, channel('all'), channel('few', ['change']));
      expect(await store.notify('acme', happened('a'))).toBe(1);
      expect(await store.notify('acme', happened('b', { type: 'change.waiting' }))).toBe(2);
      expect(await store.notify('acme', happened('c', { type: 'break_glass.activated' }))).toBe(2);
      expect(await store.notify('acme', happened('d', { type: 'channel.test', channel: 'few' }))).toBe(1);
      expect(await store.notify('globex', happened('e'))).toBe(0);
      expect(await store.listDeliveries('globex', {}, all)).toEqual([]);
      expect(await store.countChannels('acme')).toBe(2);
      expect(await store.tenantsWithDeliveries(start)).toEqual(['acme']);
    });

    it('that asks something of groups goes to the channels of those groups and to those of nobody in particular', async () => {
      const { store } = bench;
      const of = (name: string, groups: string[]): StoredDocument => {
        const document = channel(name);
        return { ...document, body: { ...document.body, groups } as never };
      };
      await withChannels(store, channel('all'), of('money', ['finance']), of('law', ['legal', 'fin']));
      const to = async (about: string, more: Partial<NotificationEvent>) => {
        await store.notify('acme', happened(about, more));
        return (await store.listDeliveries('acme', {}, all)).filter(({ facts }) => facts.session === about).map((one) => one.channel);
      };
      const asks = (about: string, requirements: string[], groups: string[] = []) =>
        to(about, { type: 'approval.requested', facts: { session: about, requirements, to: groups.map((group) => `group:${group}`) } });
      expect((await asks('a', ['approval:finance:2'])).sort()).toEqual(['all', 'money']);
      expect((await asks('b', ['approval:finance:2', 'approval:legal:passkey'])).sort()).toEqual(['all', 'law', 'money']);
      expect((await asks('c', ['approval:other'], ['legal'])).sort()).toEqual(['all', 'law']);
      expect((await to('d', {})).sort()).toEqual(['all', 'law', 'money']);
      expect((await to('e', { type: 'break_glass.activated', facts: { session: 'e', to: ['group:other'] } })).sort()).toEqual(['all', 'law', 'money']);
    });

    it('is not queued for a channel whose receiver is gone, until a test arrives there or another receiver is named; and everybody else hears of it', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'), channel('gone'));
      for (const about of ['a', 'b']) await store.notify('acme', happened(about, { channel: 'gone' }));
      const settle = async (outcome: { kind: 'delivered' } | { kind: 'given_up'; gone: boolean }, at: number) => {
        const one = (await store.leaseDeliveries('acme', lease('l', at))).find((leased) => leased.channel === 'gone');
        if (one) await store.settleDelivery({ ...settled(one, 'l', at), outcome });
      };
      await settle({ kind: 'given_up', gone: true }, start + 1);
      expect(await store.listDeliveries('acme', { channel: 'gone', status: 'pending' }, all)).toEqual([]);
      expect(await store.disabledChannels('acme')).toEqual(['gone']);
      expect(await store.disabledChannels('globex')).toEqual([]);
      expect(await store.countChannels('acme')).toBe(1);
      expect(await store.notify('acme', happened('c', { type: 'break_glass.activated' }))).toBe(1);
      const told = (await store.listDeliveries('acme', {}, all)).filter(({ type }) => type === 'channel.disabled');
      expect(told).toMatchObject([{ channel: 'on-call', facts: { channel: 'gone' } }]);
      expect(await typesOf(store, 'acme')).toContain('channel.disabled');

      await withChannels(store, channel('on-call'), channel('gone'));
      expect(await store.disabledChannels('acme')).toEqual(['gone']);
      expect(await store.notify('acme', happened('t', { type: 'channel.test', channel: 'gone' }))).toBe(1);
      await settle({ kind: 'delivered' }, start + 2);
      expect(await store.disabledChannels('acme')).toEqual([]);
      expect((await typesOf(store, 'acme')).at(-1)).toBe('channel.enabled');

      await store.notify('acme', happened('d', { channel: 'gone' }));
      await settle({ kind: 'given_up', gone: true }, start + 3);
      const moved = channel('gone');
      await withChannels(store, channel('on-call'), { ...moved, body: { ...moved.body, credential: 'another' } as never });
      expect(await store.disabledChannels('acme')).toEqual([]);
    });

    it('is one message however often the same event is told', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'));
      expect(await store.notify('acme', happened('a'))).toBe(1);
      expect(await store.notify('acme', happened('a'))).toBe(0);
      expect(await store.notify('acme', happened('a', { at: start + 1 }))).toBe(1);
    });

    it('has one sender at a time, of however many that ask at once, and a channel one message', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'), channel('slow'));
      for (const about of ['a', 'b', 'c']) await store.notify('acme', happened(about));
      const other = await bench.another();
      const leased = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).leaseDeliveries('acme', lease(`l${i}`, start))));
      expect(
        leased
          .flat()
          .map((one) => one.channel)
          .sort(),
      ).toEqual(['on-call', 'slow']);
      const holder = leased.findIndex((some) => some.some((one) => one.channel === 'slow'));
      const [slow] = leased[holder]?.filter((one) => one.channel === 'slow') ?? [];
      expect(slow?.attempts).toBe(1);
      // The slow one keeps nobody else: the other channel goes on.
      const quick = leased.flat().find((one) => one.channel === 'on-call') as Delivery;
      const quickHolder = leased.findIndex((some) => some.includes(quick));
      expect(await store.settleDelivery(settled(quick, `l${quickHolder}`, start + 1))).toBe(true);
      expect((await store.leaseDeliveries('acme', lease('next', start + 2))).map((one) => one.channel)).toEqual(['on-call']);
    });

    it('whose sender died is taken by another once the lease is over; what the first says then changes nothing', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'));
      await store.notify('acme', happened('a'));
      const [first] = await store.leaseDeliveries('acme', lease('dead', start));
      expect(await store.leaseDeliveries('acme', lease('other', start + 59_999))).toEqual([]);
      const [second] = await store.leaseDeliveries('acme', lease('other', start + 60_000));
      expect(second).toMatchObject({ notification: first?.notification, attempts: 2 });
      expect(await store.settleDelivery(settled(first as Delivery, 'dead', start + 60_001))).toBe(false);
      expect(await store.settleDelivery(settled(second as Delivery, 'other', start + 60_001))).toBe(true);
      expect(await store.settleDelivery(settled(second as Delivery, 'other', start + 60_001))).toBe(false);
      expect(await store.leaseDeliveries('acme', lease('late', start + 9 * hour))).toEqual([]);
    });

    it('that failed waits its time and is given up with a record', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'));
      await store.notify('acme', happened('a'));
      const [one] = (await store.leaseDeliveries('acme', lease('l', start))) as [Delivery];
      await store.settleDelivery({ ...settled(one, 'l', start + 1), outcome: { kind: 'retry', at: start + 5_000 }, error: 'it answered HTTP 500' });
      expect(await store.listDeliveries('acme', { status: 'pending' }, all)).toMatchObject([{ error: 'it answered HTTP 500', nextAt: start + 5_000 }]);
      expect(await store.leaseDeliveries('acme', lease('early', start + 4_999))).toEqual([]);
      await store.leaseDeliveries('acme', lease('m', start + 5_000));
      const record = body('notification.given_up', { tenant: 'acme', channel: 'on-call' });
      await store.settleDelivery({ ...settled(one, 'm', start + 5_001), outcome: { kind: 'given_up' }, error: 'gone', record });
      expect((await typesOf(store, 'acme')).at(-1)).toBe('notification.given_up');
      expect(await store.listDeliveries('acme', { status: 'given_up' }, all)).toMatchObject([{ attempts: 2, settledAt: start + 5_001 }]);
    });

    it('waits with at most a thousand others for a channel that is gone; those of break-glass stay', { timeout: 60_000 }, async () => {
      const { store } = bench;
      await withChannels(store, channel('gone'));
      await store.notify('acme', happened('glass', { type: 'break_glass.activated', at: start - 1 }));
      const many = Array.from({ length: mostWaiting + 20 }, (_, i) => store.notify('acme', happened(`s${i}`, { at: start + i })));
      await Promise.all(many);
      const later = start + 5_000;
      const [first] = (await store.leaseDeliveries('acme', lease('l', later))) as [Delivery];
      expect(first.type).toBe('break_glass.activated');
      await store.settleDelivery({ ...settled(first, 'l', later), outcome: { kind: 'retry', at: later + 5_000 }, error: 'it could not be reached' });
      const given = await store.listDeliveries('acme', { status: 'given_up' }, all);
      expect(given.map(({ facts }) => facts.session).sort()).toEqual(Array.from({ length: 20 }, (_, i) => `s${i}`).sort());
      expect((await store.readRecords('acme', 0, 100)).at(-1)?.body).toMatchObject({ type: 'notification.given_up', code: 'too_many_waiting', count: 20 });
    });

    it('is forgotten a week after it was settled, and not while it waits', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'), channel('other'));
      await store.notify('acme', happened('a'));
      const taken = await store.leaseDeliveries('acme', lease('l', start));
      await store.settleDelivery(settled(taken[0] as Delivery, 'l', start));
      const week = 7 * 24 * hour;
      bench.clock.now = start + week;
      await store.sweep(start + week);
      expect(await store.listDeliveries('acme', {}, all)).toHaveLength(2);
      await store.settleDelivery(settled(taken[1] as Delivery, 'l', start));
      await store.sweep(start + week + 2 * hour);
      expect(await store.listDeliveries('acme', {}, all)).toEqual([]);
    });

    it('is listed page after page, each once', async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'), channel('other'));
      for (let i = 0; i < 5; i++) await store.notify('acme', happened(`s${i}`, { at: start + (i % 2) }));
      const seen: string[] = [];
      let after: string | null = null;
      for (;;) {
        const page: readonly Delivery[] = await store.listDeliveries('acme', {}, { after, limit: 3 });
        const last = page.at(-1);
        if (!last) break;
        seen.push(...page.map((one) => `${one.notification}/${one.channel}`));
        after = `${last.at}/${last.notification}/${last.channel}`;
      }
      expect(seen).toHaveLength(10);
      expect(new Set(seen).size).toBe(10);
    });

    it('is settled once, whatever senders do in whatever order', { timeout: 60_000 }, async () => {
      const { store } = bench;
      await withChannels(store, channel('on-call'));
      const step = fc.record({ sender: fc.nat(2), does: fc.constantFrom('take', 'deliver', 'fail', 'give_up', 'die'), wait: fc.nat(90_000) });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          const about = `run ${run++}`;
          let now = start + run * 10 * hour;
          await store.notify('acme', happened(about, { at: now }));
          const held = new Map<number, { one: Delivery; lease: string; until: number }>();
          let told = 0;
          for (const [i, { sender, does, wait }] of steps.entries()) {
            now += wait;
            if (does === 'take') {
              const name = `${about} ${sender} ${i}`;
              const [one] = await store.leaseDeliveries('acme', lease(name, now));
              const live = [...held.values()].filter(({ until }) => until > now);
              if (one) expect(live).toEqual([]);
              if (one) held.set(sender, { one, lease: name, until: now + 60_000 });
            } else if (does === 'die') held.delete(sender);
            else {
              const mine = held.get(sender);
              if (!mine) continue;
              const outcome = { deliver: { kind: 'delivered' }, fail: { kind: 'retry', at: now + 5_000 }, give_up: { kind: 'given_up' } } as const;
              const done = await store.settleDelivery({ ...settled(mine.one, mine.lease, now), outcome: outcome[does], error: null });
              if (done && does !== 'fail') told += 1;
              held.delete(sender);
            }
          }
          expect(told).toBeLessThanOrEqual(1);
          const [left] = (await store.listDeliveries('acme', {}, { after: null, limit: 1 })) as [Delivery];
          expect(left.status === 'pending').toBe(told === 0);
          // The next run has the channel for itself.
          if (told === 0) {
            const [last] = (await store.leaseDeliveries('acme', lease('end', now + 9 * hour))) as [Delivery];
            expect(await store.settleDelivery(settled(last, 'end', now + 9 * hour))).toBe(true);
          }
        }),
        { numRuns: 25 },
      );
    });
  });
}
