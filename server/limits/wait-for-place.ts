import type { CallSignal } from '../../tools/index.ts';
import type { FairQueue, Place } from './fair-queue.ts';

/**
 * A place in its turn: at once when one is free, else after at most `waitMs`, in a turn of the loop of its own, so that whatever else has
 * come is seen to between any two that waited; null when it did not come or `signal` aborted.
 */
export function waitForPlace(queue: FairQueue, group: string, member: string, waitMs: number, signal: CallSignal | null): Place | Promise<Place | null> {
  let granted: (place: Place) => void = () => undefined;
  const entered = queue.enter(group, member, (place) => granted(place));
  if ('place' in entered) return entered.place;
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    const giveUp = (): void => {
      entered.cancel();
      end();
      resolve(null);
    };
    granted = (place) => {
      end();
      setImmediate(resolve, place);
    };
    const timer = setTimeout(giveUp, waitMs);
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
  });
}
