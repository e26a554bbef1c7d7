/** At most `burst` at once and `per_second` in the long run. */
export interface Rate {
  readonly per_second: number;
  readonly burst: number;
}

/** Token buckets of one rate, one a key. A bucket that has filled up again is forgotten, so what is kept is what was busy lately. */
export interface Buckets {
  /** Milliseconds until the bucket has `weight` to give, or is full; 0 when it has at `now` (epoch milliseconds). */
  waitFor(key: string, now: number, weight?: number): number;
  /** Takes `weight`, one when left out; where there is less, it takes what there is. */
  take(key: string, now: number, weight?: number): void;
  /** How many are not full at `now`. */
  size(now: number): number;
}

/** Sums of fractions of a millisecond are not exact; a wait below this is none. */
const tiny = 1e-6;
/** Forgotten at each taking at most: more than one can be added, so nothing piles up. */
const forgotAtOnce = 2;

/** The generic cell rate algorithm (ITU-T I.371): of a bucket only the time is kept at which it will be full again. */
export function createBuckets({ per_second, burst }: Rate): Buckets {
  const interval = 1_000 / per_second;
  const depth = interval * burst;
  const full = new Map<string, number>();
  function fullAt(key: string, now: number): number {
    const at = full.get(key) ?? now;
    if (at <= now + depth) return Math.max(at, now);
    // A clock set back leaves a time that is further away than the bucket is deep: it is empty, not closed until then.
    full.set(key, now + depth);
    return now + depth;
  }

  return {
    waitFor(key, now, weight = 1) {
      const wait = fullAt(key, now) + interval * Math.min(weight, burst) - depth - now;
      return wait > tiny ? wait : 0;
    },
    take(key, now, weight = 1) {
      const at = Math.min(fullAt(key, now) + interval * weight, now + depth);
      // Written anew, so that the order of the map is the order of last use.
      full.delete(key);
      let looked = 0;
      for (const [oldest, time] of full) {
        if (time <= now) full.delete(oldest);
        if (++looked === forgotAtOnce) break;
      }
      full.set(key, at);
    },
    size: (now) => [...full.values()].filter((at) => at > now).length,
  };
}
