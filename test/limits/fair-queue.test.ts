import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFairQueue, type Place } from '../../server/limits/fair-queue.ts';

interface Held {
  readonly group: string;
  readonly place: Place;
}

const slots = fc.record({ all: fc.integer({ min: 1, max: 6 }), group: fc.integer({ min: 1, max: 4 }), member: fc.integer({ min: 1, max: 3 }) });
const who = fc.record({ group: fc.constantFrom('a', 'b', 'c', 'd'), member: fc.constantFrom('1', '2', '3') });
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('enter' as const), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('aside' as const), which: fc.nat() }) },
);

describe('a fair queue, whoever comes in whatever order', () => {
  it('never has more at work than it may, serves whoever waits within as many grants as there are others, and ends with nothing remembered', () => {
    fc.assert(
      fc.property(slots, fc.array(step, { maxLength: 200 }), (most, steps) => {
        const queue = createFairQueue(most);
        const held: Held[] = [];
        const aside: Held[] = [];
        const waiting = new Map<{ group: string }, () => void>();
        /** Grants to others since a group has been waiting though it had a place to take. */
        const passedOver = new Map<string, number>();
        const working = (group: string): number => held.filter((one) => one.group === group).length;

        const got = (group: string, place: Place): void => {
          held.push({ group, place });
          if (aside.length > 0) return;
          expect(held.length).toBeLessThanOrEqual(most.all);
          expect(working(group)).toBeLessThanOrEqual(most.group);
          for (const other of new Set([...waiting.keys()].map((mark) => mark.group))) {
            if (other !== group && working(other) === 0) passedOver.set(other, (passedOver.get(other) ?? 0) + 1);
          }
          passedOver.delete(group);
          // Four groups: whoever waits and has nothing at work is behind three others at most.
          for (const times of passedOver.values()) expect(times).toBeLessThanOrEqual(3);
        };
        for (const one of steps) {
          if (one.do === 'enter') {
            const { group, member } = one.who;
            const mark = { group };
            const entered = queue.enter(group, member, (place) => {
              waiting.delete(mark);
              got(group, place);
            });
            if ('place' in entered) got(group, entered.place);
            else waiting.set(mark, entered.cancel);
          } else if (one.do === 'leave') {
            const [gone] = held.splice(one.which % Math.max(1, held.length), 1);
            gone?.place.leave();
          } else if (one.do === 'cancel') {
            const [mark, cancel] = [...waiting][one.which % Math.max(1, waiting.size)] ?? [];
            cancel?.();
            if (mark) waiting.delete(mark);
          } else {
            const [out] = held.splice(one.which % Math.max(1, held.length), 1);
            if (!out) continue;
            out.place.leave();
            aside.push(out);
            if (aside.length < 3) continue;
            for (const back of aside.splice(0)) {
              back.place.back();
              held.push(back);
            }
          }
          const counts = queue.counts();
          expect(counts.working).toBe(held.length);
          expect(counts.waiting).toBe(waiting.size);
        }
        for (const back of aside) back.place.leave();
        while (held.length > 0) held.shift()?.place.leave();
        expect(waiting.size).toBe(0);
        expect(queue.counts()).toEqual({ working: 0, waiting: 0, groups: 0 });
      }),
      { numRuns: 400 },
    );
  });

  it('serves groups by turns and, within one, members by turns, however many each has sent', () => {
    const queue = createFairQueue({ all: 1, group: 1, member: 1 });
    const served: string[] = [];
    const places: Place[] = [];
    const send = (group: string, member: string): void => {
      const entered = queue.enter(group, member, (place) => {
        served.push(group + member);
        places.push(place);
      });
      if ('place' in entered) places.push(entered.place);
    };
    send('x', '0');
    for (let i = 0; i < 3; i++) send('a', '1');
    send('a', '2');
    for (let i = 0; i < 2; i++) send('b', '1');
    while (places.length > 0) places.shift()?.leave();
    expect(served).toEqual(['a1', 'b1', 'a2', 'b1', 'a1', 'a1']);
  });

  it('lets what a group has overdrawn weigh on that group alone', () => {
    const queue = createFairQueue({ all: 4, group: 2, member: 4 });
    const taken = (group: string): Place | null => {
      const entered = queue.enter(group, '1', () => undefined);
      if ('place' in entered) return entered.place;
      entered.cancel();
      return null;
    };
    const first = [taken('a'), taken('a')];
    for (const place of first) place?.leave();
    const second = [taken('a'), taken('a')];
    for (const place of first) place?.back();
    expect(queue.counts().working).toBe(4);
    expect(taken('a')).toBeNull();
    expect([taken('b'), taken('b')]).not.toContain(null);
    expect(second).not.toContain(null);
  });

  it('grants nothing to whoever gave up, and leaving twice makes no second place', () => {
    const queue = createFairQueue({ all: 1, group: 1, member: 1 });
    const granted: string[] = [];
    const first = queue.enter('a', '1', () => undefined);
    const second = queue.enter('b', '1', () => granted.push('b'));
    queue.enter('c', '1', () => granted.push('c'));
    queue.enter('d', '1', () => granted.push('d'));
    if (!('cancel' in second) || !('place' in first)) throw new Error('not as expected');
    second.cancel();
    first.place.leave();
    first.place.leave();
    expect(granted).toEqual(['c']);
  });
});
