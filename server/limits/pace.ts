/**
 * One at a time through the event loop: whoever comes with many at once is let through one a turn of the loop, and in each turn whatever
 * else has come is seen to first.
 */
export interface Pace {
  /** Null when nothing of this name has gone through in this turn; else resolves when its own turn has come, in the order asked. */
  next(name: string): Promise<void> | null;
}

export function createPace(): Pace {
  const gone = new Set<string>();
  const waiting = new Map<string, (() => void)[]>();
  let turning = false;

  function turn(): void {
    turning = true;
    setImmediate(begin);
  }

  function begin(): void {
    turning = false;
    gone.clear();
    for (const [name, line] of waiting) {
      gone.add(name);
      line.shift()?.();
      if (line.length === 0) waiting.delete(name);
    }
    if (gone.size > 0) turn();
  }

  return {
    next(name) {
      if (!turning) turn();
      if (!gone.has(name)) {
        gone.add(name);
        return null;
      }
      return new Promise((resolve) => {
        const line = waiting.get(name) ?? [];
        waiting.set(name, line);
        line.push(resolve);
      });
    },
  };
}
