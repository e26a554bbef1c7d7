/** Lets a call wait for a human. Only a hint: whoever is woken reads the store. */
export interface Decisions {
  /**
   * Resolves when the approval was decided, closed or used, on whichever replica, or what the tenant's agents may do has changed;
   * after `ms`; or at once when `signal` aborts.
   */
  wait(tenant: string, approval: string, ms: number, signal: AbortSignal): Promise<void>;
}
