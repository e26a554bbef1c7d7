import { createPlatformLog } from './platform-log.ts';
import { createRefusalRecorder, type RecorderPorts, type RefusedAccess } from './refusal-recorder.ts';

/** Where refusals at the doors are written down. A refusal stands whether or not it could be. */
export interface AccessLog {
  /** Of somebody who proved who they are: on their tenant's record. */
  known(refused: RefusedAccess): Promise<void>;
  /** Of somebody who proved nothing: on the platform log, which names nobody of a tenant. `detail` says what was wrong, never what was sent. */
  stranger(door: string, code: string, detail: string | null): Promise<void>;
  /** Writes down how many were only counted in the minutes that are over. Rejects when the store does; the counts then stand. */
  sumUp(): Promise<void>;
  /** At the end of a process: writes down whatever was only counted. */
  flush(): Promise<void>;
}

export function createAccessLog(ports: RecorderPorts): AccessLog {
  const platform = createPlatformLog(ports.store, ports.clock);
  const tenants = createRefusalRecorder(ports);
  return {
    known: (refused) => tenants.note(refused),
    async stranger(door, code, detail) {
      try {
        await platform.note({ type: 'access.refused', at: ports.clock(), door, code, ...(detail === null ? {} : { detail }) });
      } catch (error) {
        ports.log.error({ err: error }, 'a refused access could not be recorded');
      }
    },
    sumUp: () => tenants.sumUp(false),
    async flush() {
      await Promise.all([tenants.sumUp(true), platform.flush()]);
    },
  };
}
