import type { Logger } from 'pino';
import type { Store } from '../store/store.ts';
import type { RecordBody } from './record.ts';

const windowMs = 60_000;
/** Refusals recorded one by one for one asker in one window; the rest are counted. */
const mostPerWindow = 20;

/** Who was refused at a door, once they had proven who they are; what cannot be tied to a tenant goes to the platform log. */
export type RefusedAccess = Omit<RecordBody, 'type' | 'at' | 'count'> & {
  readonly type?: 'access.refused' | 'call.refused';
  readonly tenant: string;
  readonly actor: string;
  readonly door: string;
  readonly code: string;
};
export interface RecorderPorts {
  readonly store: Pick<Store, 'append'>;
  readonly clock: () => number;
  readonly log: Logger;
}
export interface RefusalRecorder {
  note(refused: RefusedAccess): Promise<void>;
  /** Writes one record for whatever was only counted in windows that are over, or in all of them. Rejects when the store does; the counts then stand. */
  sumUp(all: boolean): Promise<void>;
}

/** What one asker was refused since a moment. */
interface Window {
  opened: number;
  written: number;
  /** Whether it is said already that this asker is over a limit: a flood that goes on is then only counted. */
  limited: boolean;
  /** By code, the first of its kind and how many there were. */
  readonly counted: Map<string, { readonly first: RefusedAccess; count: number }>;
}

/** Puts refusals at a door on the tenant's record, at most so many an asker and minute, and how many more there were. A refusal stands whether or not it could be recorded. */
export function createRefusalRecorder({ store, clock, log }: RecorderPorts): RefusalRecorder {
  const windows = new Map<string, Window>();
  const isOver = ({ opened }: Window, now: number): boolean => now - opened >= windowMs || now < opened;

  function windowOf({ tenant, actor }: RefusedAccess, now: number): Window {
    const who = JSON.stringify([tenant, actor]);
    const known = windows.get(who);
    // One with counts stays until they are written.
    if (known && (known.counted.size > 0 || !isOver(known, now))) return known;
    const fresh = { opened: now, written: 0, limited: false, counted: new Map() };
    windows.set(who, fresh);
    return fresh;
  }

  async function write(window: Window, now: number): Promise<void> {
    for (const [code, { first, count }] of [...window.counted]) {
      // A new count starts at once: what is refused while this is written is not lost with it.
      window.counted.delete(code);
      const { tool: _, detail: __, ...about } = first;
      try {
        await store.append(first.tenant, [
          { type: 'access.refused', at: now, ...about, count, detail: 'so many more were refused and not recorded one by one' },
        ]);
      } catch (error) {
        const since = window.counted.get(code);
        window.counted.set(code, { first, count: count + (since?.count ?? 0) });
        throw error;
      }
    }
  }

  return {
    async note(refused) {
      const now = clock();
      const window = windowOf(refused, now);
      const isLimit = refused.code === 'limit.exceeded';
      if (window.written >= mostPerWindow || (isLimit && window.limited)) {
        const same = window.counted.get(refused.code);
        if (same) same.count += 1;
        else window.counted.set(refused.code, { first: refused, count: 1 });
        return;
      }
      window.written += 1;
      window.limited ||= isLimit;
      try {
        await store.append(refused.tenant, [{ type: 'access.refused', at: now, ...refused }]);
      } catch (error) {
        log.error({ err: error, tenant: refused.tenant }, 'a refused access could not be recorded');
      }
    },

    async sumUp(all) {
      const now = clock();
      for (const [who, window] of [...windows]) {
        if (!all && !isOver(window, now)) continue;
        if (window.counted.size === 0) {
          windows.delete(who);
          continue;
        }
        window.opened = now;
        window.written = 0;
        await write(window, now);
      }
    },
  };
}
