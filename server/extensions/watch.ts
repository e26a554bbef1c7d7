import type { Ports } from '../ports.ts';
import { StoreUnavailable } from '../store/store.ts';
import { applyExtension } from './apply.ts';

/** Puts extensions in force as soon as the last vote is cast, on whichever replica; what a crash leaves behind its session's next look takes up. */
export function startExtending(ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys' | 'log'>): { close(): void } {
  const stop = ports.store.subscribe((told) => {
    if (told.kind !== 'approval') return;
    void applyExtension(ports, told.tenant, told.id).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) ports.log.error({ err: error, approval: told.id }, 'an approved extension could not be put in force');
    });
  }, 'idle');
  return { close: stop };
}
