import type { Signal, Store } from '../store/index.ts';
import type { Decisions } from './decisions.ts';

const longest = 2 ** 31 - 1;

/** Whoever waits leaves nothing behind: no timer, no listener. */
export function createDecisions(store: Pick<Store, 'subscribe'>): Decisions {
  return {
    wait(tenant, approval, ms, signal) {
      if (signal.aborted || !(ms > 0)) return Promise.resolve();
      const concerns = (told: Signal): boolean => {
        if (told.kind === 'resync') return true;
        if (told.tenant !== tenant) return false;
        // A session that is over has closed its approvals, each with a signal of its own.
        return told.kind === 'approval' ? told.id === approval : told.kind !== 'session';
      };
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          unsubscribe();
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(ms, longest));
        const unsubscribe = store.subscribe((told) => concerns(told) && wake());
        signal.addEventListener('abort', wake);
      });
    },
  };
}
