import type { Logger } from 'pino';
import type { UpstreamPool } from '../tools/index.ts';
import type { Decisions } from './approvals/decisions.ts';
import type { AccessLog } from './audit/index.ts';
import type { Config } from './config.ts';
import type { Keys } from './credentials/keys.ts';
import type { Tenants } from './documents/snapshot.ts';
import type { Limits } from './limits/index.ts';
import type { Store } from './store/store.ts';

/** What the broker stands on: its edges to the world, made once at start and never changed. */
export interface Ports {
  readonly config: Config;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** A fresh unguessable id, 128 bits, with a prefix that tells what it names: `ses_…`, `apr_…`, `dsp_…`, `dec_…`. */
  readonly newId: (prefix: string) => string;
  readonly store: Store;
  readonly tenants: Tenants;
  readonly upstreams: UpstreamPool;
  readonly keys: Keys;
  /** Hastens what waits for a human; the store stays the authority. */
  readonly decisions: Decisions;
  /** Where refusals at the doors are written down. */
  readonly access: AccessLog;
  /** Keeps one session, agent or tenant from taking what the others need. */
  readonly limits: Limits;
  readonly log: Logger;
}
