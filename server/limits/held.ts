import type { Limits } from './limits.ts';

/** What a tenant's bodies take while they are read. */
export interface Held {
  take(bytes: number): boolean;
  giveBack(): void;
}

export function heldFor(limits: Limits, tenant: string): Held {
  let held = 0;
  return {
    take(bytes) {
      const fits = limits.holdBody(tenant, bytes);
      if (fits) held += bytes;
      return fits;
    },
    giveBack() {
      limits.releaseBody(tenant, held);
      held = 0;
    },
  };
}
