/**
 * What has changed, told after it was committed: in this process at once, in others as soon as they hear of it. Only a hint: whoever
 * is told reads the store. `resync`: something may have been missed, so everybody who waits looks again.
 */
export type Signal = Change | { readonly kind: 'resync' };

export interface Change {
  /** `session`: it is over, suspended or was extended; `agent`: its status; `approval`: asked for, voted on, closed or used; `change`: one that widens was asked for; `call`: a call that is a task was cancelled or has ended; `configuration`: a new revision, its id; `notification`: a message was queued. */
  readonly kind: 'session' | 'agent' | 'approval' | 'change' | 'call' | 'configuration' | 'notification';
  readonly tenant: string;
  readonly id: string;
}

/** Must not throw, and leaves what takes time for later. */
export type Listener = (signal: Signal) => void;

export interface Signals {
  /** Answers how to stop. Whoever is `idle` hears what is heard anyway; nothing is looked for on their account. */
  subscribe(listener: Listener, idle?: 'idle'): () => void;
  emit(signals: readonly Signal[]): void;
}

/** `attend` is told when somebody starts to wait for signals and when nobody does any more. */
export function createSignals(attend: (attended: boolean) => void): Signals {
  const listeners = new Set<Listener>();
  let waiting = 0;
  return {
    subscribe(listener, idle) {
      // A function of its own for each, so that one listener subscribed twice stays two.
      const mine: Listener = (signal) => listener(signal);
      listeners.add(mine);
      if (!idle && ++waiting === 1) attend(true);
      return () => {
        if (listeners.delete(mine) && !idle && --waiting === 0) attend(false);
      };
    },
    emit(signals) {
      for (const signal of signals) for (const listener of [...listeners]) listener(signal);
    },
  };
}
