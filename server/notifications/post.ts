import type { LookupFunction } from 'node:net';
import { Agent, fetch as dial } from 'undici';
import { egress } from '../../tools/index.ts';

/** A message did not arrive; in words of ours, for whoever looks at the list. */
export class NotDelivered extends Error {
  override readonly name = 'NotDelivered';
  /** The receiver says that there is none any more (HTTP 410). */
  readonly gone: boolean;
  /** Its `Retry-After`, as it was sent. */
  readonly retryAfter: string | null;
  constructor(message: string, { gone = false, retryAfter = null }: { readonly gone?: boolean; readonly retryAfter?: string | null } = {}) {
    super(message);
    this.gone = gone;
    this.retryAfter = retryAfter;
  }
}

export interface Reach {
  /** What the operator lets this tenant's channels connect to; empty for any public host by TLS. */
  readonly egress: readonly string[];
  /** Name resolution; the system's when left out. */
  readonly resolve?: LookupFunction | undefined;
}

/** Longest one try may take, from the look-up to the answer. */
export const tryMs = 10_000;

/**
 * Sends one body to where the guard lets it go: the address is judged when it is dialled, a redirect is a failure, and nothing of the
 * answer but its status and `Retry-After` is looked at.
 */
export async function post(address: string, headers: Readonly<Record<string, string>>, body: string, reach: Reach, signal: AbortSignal): Promise<void> {
  const url = new URL(address);
  const guard = egress(url, reach.egress, reach.resolve);
  guard.check(url);
  const agent = new Agent({ connect: { lookup: guard.lookup, timeout: tryMs } });
  try {
    const response = await dial(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'taskgate' },
      body,
      redirect: 'manual',
      dispatcher: agent,
      signal,
    });
    const { status } = response;
    if (status === 410) throw new NotDelivered('its receiver is gone (HTTP 410)', { gone: true });
    const retryAfter = response.headers.get('retry-after');
    if (!response.ok) throw new NotDelivered(status >= 300 && status < 400 ? 'it answered with a redirect' : `it answered HTTP ${status}`, { retryAfter });
  } finally {
    // What it would still send is not waited for.
    await agent.destroy();
  }
}
