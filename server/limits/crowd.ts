/** Who asks how much lately, to tell a tenant that takes more than its share from those it takes it from. */
export interface Crowd {
  /** One request at `now`, epoch milliseconds. */
  note(name: string, now: number): void;
  /** Others ask too, and `name` asks for more than an even share of all that is asked. */
  isGreedy(name: string): boolean;
}

/** Long enough to remember a neighbour that calls a few times a second. */
const windowMs = 1_000;
/** So few in a window crowd nobody. */
const few = 20;

interface Window {
  readonly began: number;
  readonly asked: Map<string, number>;
  total: number;
}

/** Counted in whole windows, of which the last two are looked at: of whoever asks no more nothing is kept once others have asked. */
export function createCrowd(): Crowd {
  const windowAt = (began: number): Window => ({ began, asked: new Map(), total: 0 });
  let [before, current] = [windowAt(Number.NEGATIVE_INFINITY), windowAt(Number.NEGATIVE_INFINITY)];

  function turn(now: number): void {
    const age = now - current.began;
    // A clock that was set back begins anew.
    if (age >= 0 && age < windowMs) return;
    before = age >= 0 && age < 2 * windowMs ? current : windowAt(Number.NEGATIVE_INFINITY);
    current = windowAt(now);
  }

  const askedBy = (name: string): number => (before.asked.get(name) ?? 0) + (current.asked.get(name) ?? 0);
  const isAlone = (name: string): boolean => [before, current].every(({ asked }) => asked.size === 0 || (asked.size === 1 && asked.has(name)));
  const heads = (): number => {
    let count = current.asked.size;
    for (const name of before.asked.keys()) if (!current.asked.has(name)) count += 1;
    return count;
  };

  return {
    note(name, now) {
      turn(now);
      current.asked.set(name, (current.asked.get(name) ?? 0) + 1);
      current.total += 1;
    },
    isGreedy(name) {
      const own = askedBy(name);
      return own > few && !isAlone(name) && own * heads() > before.total + current.total;
    },
  };
}
