import type { Signal, Store } from '../store/index.ts';
import type { Decisions } from './decisions.ts';

const longest = 2 ** 31 - 1;

function concerns(told: Signal, tenant: string, approval: string): boolean {
  if (told.kind === 'resync') return true;
  if (told.tenant !== tenant) return false;
  // A session that is over has closed its approvals, each with a signal of its own.
  if (told.kind === 'approval' || told.kind === 'call') return told.id === approval;
  return told.kind === 'agent' || told.kind === 'configuration';
}

/** Whoever has waited leaves nothing behind: no timer, and once stopped no listener. */
export function createDecisions(store: Pick<Store, 'subscribe'>): Decisions {
  return {
    watch(tenant, approval) {
      let heard = false;
      let wake: (() => void) | null = null;
      const stop = store.subscribe((told) => {
        if (!concerns(told, tenant, approval)) return;
        heard = true;
        wake?.();
      });
      return {
        stop,
        async changed(ms, signal) {
          if (!heard && !signal.aborted && ms > 0) {
            await new Promise<void>((resolve) => {
              const done = (): void => {
                clearTimeout(timer);
                signal.removeEventListener('abort', done);
                wake = null;
                resolve();
              };
              const timer = setTimeout(done, Math.min(ms, longest));
              signal.addEventListener('abort', done);
              wake = done;
            });
          }
          heard = false;
        },
      };
    },
  };
}
