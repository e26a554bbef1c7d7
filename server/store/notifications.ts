import type { RecordBody } from '../audit/record.ts';
import type { EventFacts, EventType, NotificationEvent } from '../notifications/event.ts';
import type { Page } from './rows/state.ts';

export type DeliveryStatus = 'pending' | 'delivered' | 'given_up';

/** One message on its way to one channel. */
export interface Delivery {
  readonly tenant: string;
  /** The message's stable id: receivers know by it what they have had. */
  readonly notification: string;
  readonly channel: string;
  readonly type: EventType;
  readonly facts: EventFacts;
  /** Epoch milliseconds of the event. */
  readonly at: number;
  readonly status: DeliveryStatus;
  /** Begun so far. */
  readonly attempts: number;
  /** When it is tried next; while it is leased, when the lease ends. */
  readonly nextAt: number;
  /** Why the last try failed, in words of ours. */
  readonly error: string | null;
  readonly settledAt: number | null;
}

export interface DeliveryLease {
  /** Held by one sender: what comes from another changes nothing. */
  readonly lease: string;
  readonly at: number;
  readonly until: number;
}

export interface DeliveryOutcome {
  readonly tenant: string;
  readonly notification: string;
  readonly channel: string;
  readonly lease: string;
  readonly at: number;
  readonly outcome:
    | { readonly kind: 'delivered' }
    | { readonly kind: 'retry'; readonly at: number }
    | { readonly kind: 'given_up' /** The receiver said that it is gone: the channel is disabled. */; readonly gone?: boolean };
  readonly error: string | null;
  readonly record: RecordBody | null;
}

/** The durable outbox. An event is queued by the verb that makes it happen, in its transaction. */
export interface NotificationVerbs {
  /** Queues an event that no other verb makes; answers on how many channels. */
  notify(tenant: string, event: NotificationEvent): Promise<number>;
  tenantsWithDeliveries(at: number): Promise<readonly string[]>;
  /** Takes what is due, at most one message a channel, and none of a channel that another sender is at. */
  leaseDeliveries(tenant: string, lease: DeliveryLease): Promise<readonly Delivery[]>;
  /** False when the lease was lost: another has it, or it is settled. */
  settleDelivery(outcome: DeliveryOutcome): Promise<boolean>;
  listDeliveries(tenant: string, filter: { status?: DeliveryStatus; channel?: string }, page: Page): Promise<readonly Delivery[]>;
  /** The channels the stored configuration has and messages are queued for: none whose receiver is gone. */
  countChannels(tenant: string): Promise<number>;
  /** Their names; a message that arrives ends it. */
  disabledChannels(tenant: string): Promise<readonly string[]>;
}
