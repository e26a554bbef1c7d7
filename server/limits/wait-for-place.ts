import type { FairQueue, Place } from './fair-queue.ts';

/** A place in its turn: at once when one is free, else after at most `waitMs`; null when it did not come or `signal` aborted. */
export function waitForPlace(queue: FairQueue, group: string, member: string, waitMs: number, signal: AbortSignal | null): Place | Promise<Place | null> {
  let granted: (place: Place) => void = () => undefined;
  const entered = queue.enter(group, member, (place) => granted(place));
  if ('place' in entered) return entered.place;
  return new Promise((resolve) => {
    const end = (place: Place | null): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      resolve(place);
    };
    const giveUp = (): void => {
      entered.cancel();
      end(null);
    };
    granted = end;
    const timer = setTimeout(giveUp, waitMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
  });
}
