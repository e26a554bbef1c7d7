/** Tells waiting calls that something was decided. Only a hint: whoever is woken reads the store. */
export interface Decisions {
  announce(tenant: string, approval: string): void;
  /** Resolves when the approval is announced, after `ms` (also to look again for what other processes decided), or at once when `signal` aborts. */
  wait(tenant: string, approval: string, ms: number, signal: AbortSignal): Promise<void>;
}
