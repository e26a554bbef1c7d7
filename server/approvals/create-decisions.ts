import type { Decisions } from './decisions.ts';

const longest = 2 ** 31 - 1;

/** Wakes waiters of this process. Whoever waits leaves nothing behind: no timer, no listener, no entry. */
export function createDecisions(): Decisions {
  const waiting = new Map<string, Set<() => void>>();
  const keyOf = (tenant: string, approval: string): string => `${tenant}\n${approval}`;

  return {
    announce(tenant, approval) {
      for (const wake of [...(waiting.get(keyOf(tenant, approval)) ?? [])]) wake();
    },
    wait(tenant, approval, ms, signal) {
      if (signal.aborted || !(ms > 0)) return Promise.resolve();
      const key = keyOf(tenant, approval);
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          const others = waiting.get(key);
          others?.delete(wake);
          if (others?.size === 0) waiting.delete(key);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(ms, longest));
        signal.addEventListener('abort', wake);
        waiting.set(key, (waiting.get(key) ?? new Set()).add(wake));
      });
    },
  };
}
