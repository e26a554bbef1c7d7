import { readSecretValue } from '../credentials/index.ts';
import type { Ports } from '../ports.ts';
import { type Delivery, StoreUnavailable } from '../store/index.ts';
import { nextTry } from './back-off.ts';
import { isUrgent } from './event.ts';
import { NotDelivered, type Reach, tryMs } from './post.ts';
import { send } from './send.ts';

/** Longer than one try with all that is around it: whoever lets a lease run out sends no more under it. */
export const leaseMs = 60_000;
const lookEveryMs = 2_000;

type Needs = Pick<Ports, 'store' | 'tenants' | 'keys' | 'clock' | 'newId' | 'config' | 'log'>;

export interface Delivering {
  /** Looks for what is due now. */
  look(): Promise<void>;
  /** Leases no more and waits for what is being sent. */
  close(): Promise<void>;
}

export interface DeliverOptions {
  readonly resolve?: Reach['resolve'];
  readonly random?: () => number;
}

/**
 * Carries queued messages out. Every broker runs one; the store sees to it that a message has one sender at a time and a channel one
 * message at a time, so a receiver that hangs keeps nobody but itself waiting. At least once: whoever dies between a receiver's answer
 * and its record leaves the message to be sent again, under the same id.
 */
export function startDelivering(ports: Needs, { resolve, random = Math.random }: DeliverOptions = {}): Delivering {
  const { store, clock, log } = ports;
  const sending = new Set<Promise<void>>();
  const closing = new AbortController();

  const take = async (tenant: string): Promise<void> => {
    if (closing.signal.aborted) return;
    const lease = ports.newId('lea');
    const at = clock();
    for (const delivery of await store.leaseDeliveries(tenant, { lease, at, until: at + leaseMs })) {
      const one = carry(delivery, lease)
        .then(() => take(tenant))
        .catch((error: unknown) => complain(error));
      sending.add(one);
      void one.finally(() => sending.delete(one));
    }
  };

  const carry = async (delivery: Delivery, lease: string): Promise<void> => {
    const { tenant, notification, channel, attempts } = delivery;
    const failure = await attempt(delivery);
    const at = clock();
    const again = failure === null || failure.final ? null : nextTry(attempts, at, random(), failure.retryAfter);
    const record = { at, tenant, actor: 'taskgate', notification, channel, code: delivery.type };
    const given = { tenant, notification, channel, lease, at };
    if (failure === null) {
      // That people were told of break-glass is part of its evidence.
      const told = isUrgent(delivery.type) ? { ...record, type: 'notification.delivered' as const, ...aboutGlass(delivery) } : null;
      await store.settleDelivery({ ...given, outcome: { kind: 'delivered' }, error: null, record: told });
    } else if (again === null) {
      if (failure.gone) log.error({ tenant, channel }, 'a channel is disabled: its receiver says that it is gone');
      else log.warn({ tenant, channel, notification, error: failure.why }, 'a notification was given up');
      const gone = { ...record, type: 'notification.given_up' as const, count: attempts, detail: failure.why, ...aboutGlass(delivery) };
      await store.settleDelivery({ ...given, outcome: { kind: 'given_up', gone: failure.gone }, error: failure.why, record: gone });
    } else {
      await store.settleDelivery({ ...given, outcome: { kind: 'retry', at: again }, error: failure.why, record: null });
    }
  };

  /** Null when it has arrived. */
  const attempt = async (delivery: Delivery): Promise<Failed | null> => {
    try {
      const snapshot = await ports.tenants.current(delivery.tenant);
      const channel = snapshot?.channels.get(delivery.channel);
      if (!snapshot || !channel) return { why: 'the channel is no more', final: true, gone: false, retryAfter: null };
      const secret = channel.credential === undefined ? null : ((await readSecretValue(ports, delivery.tenant, channel.credential))?.value ?? null);
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(tryMs)]);
      await send({ delivery, channel, secret, publicUrl: ports.config.public_url, reach: { egress: snapshot.channelEgress, resolve }, now: clock(), signal });
      return null;
    } catch (error) {
      const { gone, retryAfter } = error instanceof NotDelivered ? error : { gone: false, retryAfter: null };
      return { why: wordsFor(error), final: gone, gone, retryAfter };
    }
  };

  const look = async (): Promise<void> => {
    for (const tenant of await store.tenantsWithDeliveries(clock())) await take(tenant);
  };
  const complain = (error: unknown): void => {
    if (!(error instanceof StoreUnavailable)) log.error({ err: error }, 'notifications could not be carried out; it is tried again');
  };

  const timer = setInterval(() => void look().catch(complain), lookEveryMs);
  timer.unref();
  const unsubscribe = store.subscribe((told) => {
    if (told.kind === 'notification') void take(told.tenant).catch(complain);
  }, 'idle');

  return {
    look,
    async close() {
      clearInterval(timer);
      unsubscribe();
      closing.abort();
      await Promise.all(sending);
    },
  };
}

interface Failed extends Pick<NotDelivered, 'gone' | 'retryAfter'> {
  readonly why: string;
  readonly final: boolean;
}

const aboutGlass = ({ facts }: Delivery): { break_glass?: string } => (facts.break_glass === undefined ? {} : { break_glass: facts.break_glass });

/** Never the words of the receiver, which may hold what was sent to it. */
function wordsFor(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof NotDelivered) return at.message;
    if (at.name === 'EgressRefused') return `it may not be reached: ${at.message}`;
    if (at.name === 'TimeoutError' || at.name === 'AbortError') return 'it did not answer in time';
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === 'string' && /^[A-Z_]{3,40}$/.test(code)) return `it could not be reached (${code})`;
  }
  return 'it could not be reached';
}
