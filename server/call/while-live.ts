import type { CallSignal } from '../../tools/index.ts';
import type { Caller } from '../identity/caller.ts';
import type { Ports } from '../ports.ts';
import { watchSession } from '../sessions/index.ts';
import type { CallIo } from './call.ts';
import { CallOff } from './call-off.ts';
import { enterSession } from './enter-session.ts';
import { isRefusal, type Refusal } from './refusals.ts';

/** Between two looks of one call, in milliseconds. */
const spaceMs = 200;

/**
 * Runs a call for as long as its session is live. Once it is over, on whichever replica, whoever waits for a human is let go and
 * what runs is cancelled upstream; nothing rests on that, for the claim and the settlement look for themselves.
 */
export async function whileLive<T>(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'log'>,
  caller: Caller,
  { signal }: Pick<CallIo, 'signal'>,
  call: (signal: CallSignal) => Promise<T>,
): Promise<T> {
  const over = new CallOff();
  const look = async (): Promise<void> => {
    try {
      const session = await enterSession(ports, caller);
      if (isRefusal(session) && session.refused !== 'stale') over.abort(session);
    } catch (error) {
      ports.log.debug({ err: error, session: caller.session }, 'a running call could not be looked at again');
    }
  };
  const watch = watchSession(ports.store, { tenant: caller.tenant, session: () => caller.session }, spaceMs, look);
  const leave = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  try {
    return await call(over);
  } finally {
    watch.stop();
    signal.removeEventListener('abort', leave);
  }
}

/** Why a call was stopped by Taskgate; null when it was not, or by its client. */
export const whyStopped = ({ reason }: CallSignal): Refusal | null => (isRefusal(reason) ? reason : null);
