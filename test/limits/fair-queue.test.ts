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
  { weight: 1, arbitrary: fc.record({ do: fc.constant('allow' as const), group: fc.constantFrom('a', 'b'), most: fc.integer({ min: 1, max: 4 }) }) },
);

describe('a fair queue, whoever comes in whatever order', () => {
  it('never has more at work than it may, serves whoever waits within as many grants as there are others, and ends with nothing remembered', () => {
    fc.assert(
      fc.property(slots, fc.array(step, { maxLength: 200 }), (most, steps) => {
        const allowed = new Map<string, number>();
        const queue = createFairQueue({ ...most, group: (name) => allowed.get(name) ?? most.group });
        const held: Held[] = [];
        const aside: Held[] = [];
        let returning = 0;
        const waiting = new Map<{ group: string }, () => void>();
        /** Grants to others since a group has been waiting though it had a place to take. */
        const passedOver = new Map<string, number>();
        const working = (group: string): number => held.filter((one) => one.group === group).length;

        const got = (group: string, place: Place): void => {
          held.push({ group, place });
          expect(held.length).toBeLessThanOrEqual(most.all);
          expect(working(group)).toBeLessThanOrEqual(allowed.get(group) ?? most.group);
          for (const other of new Set([...waiting.keys()].map((mark) => mark.group))) {
            if (other !== group && working(other) === 0) passedOver.set(other, (passedOver.get(other) ?? 0) + 1);
          }
          passedOver.delete(group);
          // Four groups: whoever waits and has nothing at work is behind three others at most.
          for (const times of passedOver.values()) expect(times).toBeLessThanOrEqual(3);
        };
        for (const one of steps) {
          if (one.do === 'allow') {
            allowed.set(one.group, one.most);
          } else if (one.do === 'enter') {
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
              returning += 1;
              const granted = (): void => {
                returning -= 1;
                got(back.group, back.place);
              };
              if (back.place.comeBack(granted)) granted();
            }
          }
          const counts = queue.counts();
          expect(counts.working).toBe(held.length);
          expect(counts.waiting).toBe(waiting.size + returning);
        }
        while (held.length > 0) held.shift()?.place.leave();
        expect(waiting.size + returning).toBe(0);
        expect(queue.counts()).toEqual({ working: 0, waiting: 0, groups: 0 });
      }),
      { numRuns: 400 },
    );
  });

  it('serves groups by turns and, within one, members by turns, however many each has sent', () => {
    const queue = createFairQueue({ all: 1, group: () => 1, member: 1 });
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

  it('lets what was begun go on before what was not, of its own group', () => {
    const queue = createFairQueue({ all: 2, group: () => 1, member: 1 });
    const served: string[] = [];
    const placeOf = (entered: ReturnType<typeof queue.enter>): Place => {
      if (!('place' in entered)) throw new Error('no place');
      return entered.place;
    };
    const begun = placeOf(queue.enter('a', '1', () => undefined));
    begun.leave();
    const second = placeOf(queue.enter('a', '2', () => undefined));
    queue.enter('a', '3', () => served.push('new'));
    expect(begun.comeBack(() => served.push('begun'))).toBe(false);
    placeOf(queue.enter('b', '1', () => undefined));
    second.leave();
    expect(served).toEqual(['begun']);
    begun.leave();
    expect(served).toEqual(['begun', 'new']);
  });

  it('grants nothing to whoever gave up, and leaving twice makes no second place', () => {
    const queue = createFairQueue({ all: 1, group: () => 1, member: 1 });
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
