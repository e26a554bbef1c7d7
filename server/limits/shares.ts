/** What each key holds of something limited, such as bytes; whoever holds nothing is not remembered. */
export interface Shares {
  /** False, and nothing taken, when the key would hold more than it may. */
  take(key: string, amount: number): boolean;
  give(key: string, amount: number): void;
  held(key: string): number;
  size(): number;
}

export function createShares(most: number): Shares {
  const held = new Map<string, number>();
  return {
    take(key, amount) {
      const next = (held.get(key) ?? 0) + amount;
      if (next > most) return false;
      if (next > 0) held.set(key, next);
      return true;
    },
    give(key, amount) {
      const next = (held.get(key) ?? 0) - amount;
      if (next > 0) held.set(key, next);
      else held.delete(key);
    },
    held: (key) => held.get(key) ?? 0,
    size: () => held.size,
  };
}
