import type { Signal, Store } from '../store/index.ts';

/** What a session may do might have changed by this. */
function concerns(told: Signal, tenant: string, session: string | null): boolean {
  if (told.kind === 'resync') return true;
  if (told.tenant !== tenant) return false;
  return told.kind === 'session' ? told.id === session : told.kind === 'agent' || told.kind === 'configuration';
}

export interface SessionWatch {
  /** As if a signal had come. */
  ask(): void;
  stop(): void;
}
export interface Watched {
  readonly tenant: string;
  /** Null while there is none. */
  session(): string | null;
}

/**
 * Calls `look` whenever what the session may do might have changed, on whichever replica: at once, though not more often than every
 * `spaceMs`, and never a second time before the first is done. A signal is a hint: `look`, which never rejects, reads.
 */
export function watchSession(store: Pick<Store, 'subscribe'>, watched: Watched, spaceMs: number, look: () => Promise<void>): SessionWatch {
  let timer: NodeJS.Timeout | null = null;
  let running = false;
  let again = false;
  let last = Number.NEGATIVE_INFINITY;

  const ask = (): void => {
    again = true;
    if (running || timer) return;
    timer = setTimeout(run, Math.max(0, last + spaceMs - performance.now()));
  };
  const run = (): void => {
    timer = null;
    running = true;
    again = false;
    last = performance.now();
    void look().finally(() => {
      running = false;
      if (again) ask();
    });
  };
  const unsubscribe = store.subscribe((told) => {
    if (concerns(told, watched.tenant, watched.session())) ask();
  });
  return {
    ask,
    stop() {
      unsubscribe();
      if (timer) clearTimeout(timer);
      again = false;
    },
  };
}
