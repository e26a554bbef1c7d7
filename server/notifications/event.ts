/** What people are told of, by a message with a link. */
export const eventTypes = [
  'approval.requested',
  'approval.reminded',
  'approval.escalated',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'standing.waiting',
  'delegation.given',
  'change.waiting',
  'passkey.waiting',
  'change.quarantined',
  'session.suspended',
  'session.revoked',
  'break_glass.activated',
  'break_glass.used',
  'break_glass.ended',
  'break_glass.review_due',
  'channel.disabled',
  'channel.test',
] as const;
export type EventType = (typeof eventTypes)[number];

/** What a channel may leave out. Break-glass is not among them: it is told everywhere. */
export const eventKinds = ['approval', 'change', 'session'] as const;

/**
 * All that a message may say: names and times. INVARIANT: no argument, input, objective or reason has a field here, so that none can
 * leave by a channel.
 */
export interface EventFacts {
  readonly approval?: string;
  readonly change?: string;
  readonly standing?: string;
  readonly delegation?: string;
  readonly passkey?: string;
  readonly channel?: string;
  readonly session?: string;
  readonly break_glass?: string;
  readonly agent?: string;
  readonly use_case?: string;
  readonly tool?: string;
  readonly tools?: readonly string[];
  readonly upstream?: string;
  readonly requirements?: readonly string[];
  /** Whom it is for: `group:finance`, `role:admin`, `sponsor`. */
  readonly to?: readonly string[];
  /** Names of people in the tenant document. */
  readonly people?: readonly string[];
  /** The tenant's own number of an incident. */
  readonly incident?: string;
  /** Epoch milliseconds. */
  readonly expires_at?: number;
  /** A stable code, such as why a session ended. */
  readonly code?: string;
}

export interface NotificationEvent {
  readonly type: EventType;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The id of what it is about: with type and time it makes the message's own, so that an event is told once. */
  readonly about: string;
  readonly facts: EventFacts;
  /** Only this channel; every one that takes the kind when left out. */
  readonly channel?: string;
}

/** Told with those of another kind, which the same people look at. */
const kinds: Readonly<Partial<Record<EventType, (typeof eventKinds)[number]>>> = {
  'standing.waiting': 'approval',
  'delegation.given': 'approval',
  'passkey.waiting': 'change',
};

/** What stands before the dot, unless it goes with another kind. */
export const kindOf = (type: EventType): string => kinds[type] ?? type.slice(0, type.indexOf('.'));

/** Groups that an event asks something of; for an event that names none every channel is meant. */
export function groupsOf({ requirements = [], to = [] }: EventFacts): string[] {
  const named = [...requirements.map((literal) => /^approval:([a-z0-9-]+)/.exec(literal)), ...to.map((whom) => /^group:([a-z0-9-]+)$/.exec(whom))];
  return [...new Set(named.flatMap((found) => found?.[1] ?? []))];
}

/** Told on every channel, and never given up to make room. */
export const isUrgent = (type: string): boolean => type.startsWith('break_glass.');
