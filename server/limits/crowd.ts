/** What each tenant has under way in the broker right now, to tell one that takes more than its share from those it takes it from. */
export interface Crowd {
  /** Somebody of this name is here at `now`, epoch milliseconds. */
  see(name: string, now: number): void;
  /** One more, or one less, that the broker works on or that waits for its turn. */
  come(name: string): void;
  go(name: string): void;
  /** Most of all that is under way is of `name`, and others have been here lately. */
  isGreedy(name: string): boolean;
}

/** Long enough to remember a neighbour that calls a few times a second. */
const windowMs = 1_000;
/** So few under way crowd nobody. */
const few = 8;

/** Who was here lately is kept by whole windows, of which the last two are looked at. */
export function createCrowd(): Crowd {
  const underWay = new Map<string, number>();
  let total = 0;
  let [before, current] = [new Set<string>(), new Set<string>()];
  let began = Number.NEGATIVE_INFINITY;

  const isAlone = (name: string): boolean => [before, current].every((seen) => seen.size === 0 || (seen.size === 1 && seen.has(name)));

  return {
    see(name, now) {
      const age = now - began;
      // A clock that was set back begins anew.
      if (age < 0 || age >= windowMs) {
        before = age >= windowMs && age < 2 * windowMs ? current : new Set();
        current = new Set();
        began = now;
      }
      current.add(name);
    },
    come(name) {
      underWay.set(name, (underWay.get(name) ?? 0) + 1);
      total += 1;
    },
    go(name) {
      const left = (underWay.get(name) ?? 0) - 1;
      if (left > 0) underWay.set(name, left);
      else underWay.delete(name);
      total -= 1;
    },
    isGreedy(name) {
      const own = underWay.get(name) ?? 0;
      return own > few && 2 * own > total && !isAlone(name);
    },
  };
}
