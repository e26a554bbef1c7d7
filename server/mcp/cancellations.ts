/** Calls in flight that another POST may cancel: 2025-era clients cancel by a notification of its own (2025-11-25, Cancellation). */
export interface Cancellations {
  /** Registers a call of `who` under its JSON-RPC id; `done` must be called when it has ended. */
  begin(who: string, id: string | number): { readonly signal: AbortSignal; done(): void };
  /** False when no call of theirs has that id here. */
  cancel(who: string, id: unknown): boolean;
}

export function createCancellations(): Cancellations {
  const inFlight = new Map<string, Set<AbortController>>();
  const keyOf = (who: string, id: unknown): string => JSON.stringify([who, id]);
  return {
    begin(who, id) {
      const key = keyOf(who, id);
      const controller = new AbortController();
      const same = inFlight.get(key) ?? new Set();
      inFlight.set(key, same.add(controller));
      return {
        signal: controller.signal,
        done() {
          same.delete(controller);
          if (same.size === 0 && inFlight.get(key) === same) inFlight.delete(key);
        },
      };
    },
    cancel(who, id) {
      const same = inFlight.get(keyOf(who, id));
      // Two clients on one session may both count from 0: an id that means two calls cancels neither.
      if (same?.size === 1) for (const controller of same) controller.abort(new Error('cancelled by the client'));
      return same !== undefined;
    },
  };
}
