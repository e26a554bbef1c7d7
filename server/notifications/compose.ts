import type { Delivery } from '../store/index.ts';
import type { EventFacts, EventType } from './event.ts';

/** What a person reads: a title, lines of names and times, and where to look. Nothing in it decides anything. */
export interface Message {
  readonly title: string;
  readonly lines: readonly string[];
  readonly link: string;
}

const titles: Readonly<Record<EventType, (facts: EventFacts) => string>> = {
  'approval.requested': ({ agent, tool }) => `${agent} waits for approval of ${tool}`,
  'approval.reminded': ({ agent, tool }) => `Reminder: ${agent} still waits for approval of ${tool}`,
  'approval.escalated': ({ agent, tool }) => `Escalated: ${agent} still waits for approval of ${tool}`,
  'approval.approved': ({ agent, tool }) => `Approved: ${tool} of ${agent}`,
  'approval.denied': ({ agent, tool }) => `Denied: ${tool} of ${agent}`,
  'approval.expired': ({ agent, tool }) => `Expired, so denied: ${tool} of ${agent}`,
  'standing.waiting': ({ tool }) => `A standing approval for ${tool} waits to be given`,
  'delegation.given': ({ people }) => `${people?.[0]} lent their place to ${people?.[1]}`,
  'passkey.waiting': () => 'A passkey waits for an admin to confirm it',
  'change.waiting': () => 'A change that widens waits for a second admin',
  'change.quarantined': ({ upstream }) => `Tools of ${upstream} are not what was registered, and are held`,
  'session.suspended': ({ agent }) => `A session of ${agent} was suspended`,
  'session.revoked': ({ agent }) => `A session of ${agent} was revoked`,
  'break_glass.activated': ({ incident }) => `BREAK-GLASS ACTIVATED for incident ${incident}`,
  'break_glass.used': ({ incident, tool }) => `BREAK-GLASS USED for the first time: ${tool}, incident ${incident}`,
  'break_glass.ended': ({ incident }) => `Break-glass ended for incident ${incident}: it has to be reviewed`,
  'break_glass.review_due': ({ incident }) => `OVERDUE: the review of break-glass for incident ${incident}`,
  'channel.disabled': ({ channel }) => `CHANNEL DISABLED: the receiver of ${channel} says that it is gone; nobody is told there any more`,
  'channel.test': () => 'A test of this channel',
};

const labels: readonly (readonly [keyof EventFacts, string])[] = [
  ['agent', 'agent'],
  ['use_case', 'use case'],
  ['tool', 'tool'],
  ['upstream', 'upstream'],
  ['tools', 'tools'],
  ['requirements', 'needs'],
  ['to', 'for'],
  ['people', 'by'],
  ['session', 'session'],
  ['code', 'because'],
];

function lineOf(facts: EventFacts, [name, label]: (typeof labels)[number]): string[] {
  const value = facts[name];
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return [];
  return [`${label}: ${Array.isArray(value) ? value.join(', ') : String(value)}`];
}

export function composeMessage({ tenant, type, facts }: Pick<Delivery, 'tenant' | 'type' | 'facts'>, publicUrl: string): Message {
  const until = facts.expires_at === undefined ? [] : [`${type === 'break_glass.ended' ? 'review by' : 'until'}: ${instant(facts.expires_at)}`];
  return {
    title: `[${tenant}] ${titles[type](facts)}`,
    lines: [...labels.flatMap((one) => lineOf(facts, one)), ...until],
    link: `${publicUrl}${placeOf(facts)}`,
  };
}

const placeOf = ({ break_glass: glass, approval, change, session, standing, delegation, passkey }: EventFacts): string => {
  if (glass !== undefined) return `/console/break-glass/${glass}`;
  if (approval !== undefined) return `/console/approvals/${approval}`;
  if (standing !== undefined) return `/console/standing/${standing}`;
  if (delegation !== undefined) return '/console/delegations';
  if (passkey !== undefined) return '/console/passkeys';
  if (change !== undefined) return `/console/changes/${change}`;
  return session === undefined ? '/console' : `/console/sessions/${session}`;
};

const instant = (ms: number): string => new Date(ms).toISOString();

/** The body a webhook gets; `type`, `timestamp` and `data` as Standard Webhooks has them. Times in it are whole epoch seconds. */
export function webhookBody(delivery: Pick<Delivery, 'tenant' | 'type' | 'facts' | 'at'>, publicUrl: string): string {
  const { title, link } = composeMessage(delivery, publicUrl);
  const { expires_at, ...facts } = delivery.facts;
  const data = {
    tenant: delivery.tenant,
    title,
    link,
    ...facts,
    ...(expires_at === undefined ? {} : { expires_at: Math.floor(expires_at / 1000) }),
  };
  return JSON.stringify({ type: delivery.type, timestamp: instant(delivery.at), data });
}
