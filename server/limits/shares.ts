/** What each key holds of something limited, such as bytes; whoever holds nothing is not remembered. */
export interface Shares {
  /** Whether the key may hold so much more. */
  fits(key: string, amount: number): boolean;
  hold(key: string, amount: number): void;
  giveBack(key: string, amount: number): void;
  size(): number;
}

export function createShares(most: number): Shares {
  const held = new Map<string, number>();
  const heldBy = (key: string): number => held.get(key) ?? 0;
  return {
    fits: (key, amount) => heldBy(key) + amount <= most,
    hold(key, amount) {
      if (amount > 0) held.set(key, heldBy(key) + amount);
    },
    giveBack(key, amount) {
      const left = heldBy(key) - amount;
      if (left > 0) held.set(key, left);
      else held.delete(key);
    },
    size: () => held.size,
  };
}
