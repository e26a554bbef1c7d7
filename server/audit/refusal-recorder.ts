import type { Logger } from 'pino';
import type { Store } from '../store/store.ts';
import type { RecordBody } from './record.ts';

const windowMs = 60_000;
/** Refusals recorded for one asker in one window; the rest say nothing new. */
const mostPerWindow = 20;

/** Who was refused at a door, once they had proven who they are; what cannot be tied to a tenant goes to the platform log. */
export type RefusedAccess = Omit<RecordBody, 'type' | 'at'> & {
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
export type RefusalRecorder = (refused: RefusedAccess) => Promise<void>;

/** Puts refusals at a door on the tenant's record, at most so many an asker and minute. A refusal stands whether or not it could be recorded. */
export function createRefusalRecorder(ports: RecorderPorts): RefusalRecorder {
  let window = 0;
  let counts = new Map<string, number>();

  return async (refused) => {
    const at = ports.clock();
    const current = Math.floor(at / windowMs);
    if (current !== window) {
      window = current;
      counts = new Map();
    }
    const { tenant, actor } = refused;
    const who = JSON.stringify([tenant, actor]);
    const count = (counts.get(who) ?? 0) + 1;
    counts.set(who, count);
    if (count > mostPerWindow) return;
    try {
      await ports.store.append(tenant, [{ type: 'access.refused', at, ...refused }]);
    } catch (error) {
      ports.log.error({ err: error, tenant }, 'a refused access could not be recorded');
    }
  };
}
