import type { CallSignal } from '../../tools/index.ts';

/** Lets a call wait for a human. Only a hint: whoever is woken reads the store. */
export interface Decisions {
  /**
   * Listens, from here on, for an approval being decided, closed or used, on whichever replica, and for a change of what the
   * tenant's agents may do. Begun before the approval is read, so that nothing falls between; ended with `stop`.
   */
  watch(tenant: string, approval: string): DecisionWatch;
}

export interface DecisionWatch {
  /** Resolves once there was something to hear since it last resolved; after `ms`; or at once when `signal` aborts. */
  changed(ms: number, signal: CallSignal): Promise<void>;
  stop(): void;
}
