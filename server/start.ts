import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { watchTraps } from '../policies/index.ts';
import { createUpstreamPool } from '../tools/index.ts';
import { keepAnchor } from './anchor/index.ts';
import { createApp } from './app.ts';
import { createDecisions } from './approvals/index.ts';
import { createAccessLog } from './audit/index.ts';
import type { Config } from './config.ts';
import { openKeys } from './credentials/index.ts';
import { createTenants, type ObservedUseCase, type Plan, readObserved, watchDrift } from './documents/index.ts';
import { startExtending } from './extensions/index.ts';
import { newId } from './ids.ts';
import { createLimits } from './limits/index.ts';
import { type Doors, listen } from './listen.ts';
import { startDelivering } from './notifications/index.ts';
import { createLog } from './observe/log.ts';
import type { Ports } from './ports.ts';
import { prepare } from './prepare.ts';
import { type ChangeRow, openStore } from './store/index.ts';

export interface Broker {
  readonly url: string;
  readonly ports: Ports;
  /** What was applied at start; null when nothing changed. */
  readonly plan: Plan | null;
  /** What of the documents waits for a second admin. */
  readonly waiting: readonly ChangeRow[];
  /** Commands that run without Node's permission model. */
  readonly unconfined: readonly string[];
  /** Use cases for which policy was not enforced when it started. */
  readonly observed: readonly ObservedUseCase[];
  /** Resolves, with the reason, when this broker serves no more until it is started anew. */
  readonly lost: Promise<string>;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly clock?: () => number;
  readonly log?: Logger;
  /** The documents are the samples: their credentials get values of their own. */
  readonly samples?: boolean;
  /** The operator takes the store as it is though its record is not the one that was last seen. */
  readonly acceptStore?: boolean;
  /** Puts something between the broker and its edges to the world, to watch them or to make them fail. */
  readonly around?: (edges: Edges) => Edges;
}
type Edges = Pick<Ports, 'store' | 'upstreams'>;

const sweepEveryMs = 5_000;

const closedDoors = (why: string): Doors => ({ fetch: () => new Response(why, { status: 503 }), take: () => null });

/** Starts one broker: store and keys opened, documents applied, doors open. Rejects, with everything closed again, when any of it fails. */
export async function startBroker(config: Omit<Config, 'public_url'> & { public_url?: string }, options: StartOptions = {}): Promise<Broker> {
  const clock = options.clock ?? Date.now;
  const log = options.log ?? createLog(config.log_level);
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one().catch((error: unknown) => log.error({ err: error }, 'closing failed'));
  };
  const unwatch = watchTraps((notice) =>
    log.error(
      notice,
      notice.quarantined
        ? 'a law ended the policy engine again; every call of this tenant is denied until it changes'
        : 'a law ended the policy engine; it was made anew',
    ),
  );
  closers.push(async () => void unwatch());
  try {
    await mkdir(config.data, { recursive: true, mode: 0o700 });
    const opened = await openStore(config.store, clock);
    closers.push(() => opened.close());
    const forbidden = [resolve(config.data)];
    const keys = await openKeys(join(config.data, 'keys'), clock);
    const { children } = config.limits;
    let listed: ReturnType<typeof watchDrift> = () => undefined;
    const pool = createUpstreamPool({
      ...{ log, clock, forbidden, idleMs: children.idle_ms, children: children.tenant },
      onListed: (key, definitions) => listed(key, definitions),
    });
    closers.push(() => pool.close());
    const { store, upstreams } = options.around?.({ store: opened, upstreams: pool }) ?? { store: opened, upstreams: pool };
    const lost = Promise.withResolvers<string>();
    // Before anything is served: an older copy ends what had ended, and is seen.
    const anchor = await keepAnchor({ store, keys, data: config.data, clock, log, accept: options.acceptStore ?? false, lost: lost.resolve });
    closers.push(() => anchor.close());

    // The port is taken first: with port 0 the public URL depends on it. Until the app is there, the door says so.
    let doors = closedDoors('starting\n');
    const listening = await listen(() => doors, config.listen.hosts, config.listen.port, log);
    closers.push(() => listening.close());
    const settled: Config = { ...config, public_url: (config.public_url ?? `http://localhost:${listening.port}`).replace(/\/+$/, '') };

    const access = createAccessLog({ store, clock, log });
    closers.push(() => access.flush());
    const ports: Ports = {
      config: settled,
      clock,
      newId,
      store,
      tenants: createTenants(store, log),
      upstreams,
      keys,
      decisions: createDecisions(store),
      access,
      limits: createLimits(settled.limits, clock),
      log,
    };
    listed = watchDrift(ports);
    const prepared = await prepare(ports, { samples: options.samples ?? false, forbidden });
    closers.push(prepared.close);
    const delivering = startDelivering(ports);
    closers.push(() => delivering.close());
    const extending = startExtending(ports);
    closers.push(async () => extending.close());
    doors = createApp(ports);
    void lost.promise.then(() => {
      doors = closedDoors('the store is not as it was\n');
    });

    const sweep = setInterval(() => {
      access.sumUp().catch((error: unknown) => log.error({ err: error }, 'refusals could not be summed up; it is tried again'));
      store.sweep(clock()).catch((error: unknown) => log.warn({ err: error }, 'the sweep failed; it is tried again'));
    }, sweepEveryMs);
    sweep.unref();
    closers.push(async () => clearInterval(sweep));
    const observed = await readObserved(store, clock());
    return {
      url: settled.public_url,
      ports,
      plan: prepared.plan,
      waiting: prepared.waiting,
      unconfined: prepared.unconfined,
      observed,
      lost: lost.promise,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
