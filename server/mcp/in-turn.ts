import { isRefusal, type Refusal } from '../call/index.ts';
import type { Caller } from '../identity/index.ts';
import { type Aside, askerOf } from '../limits/index.ts';
import { StoreUnavailable } from '../store/store.ts';
import { recordLimit } from './admit.ts';
import { internalError, unavailable } from './answers.ts';
import type { Visit } from './parts.ts';

export type Answer<T> =
  | { readonly kind: 'result'; readonly result: T }
  /** A JSON-RPC error that the client's code reads, not the model. */
  | { readonly kind: 'error'; readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, unknown>> }
  /** The whole request is refused with an HTTP status of its own. */
  | { readonly kind: 'turned_away'; readonly refusal: Refusal };

/** In its turn; an outage or a bug denies, and tells nobody outside which it was. */
export async function guarded<A>(
  visit: Visit,
  gone: AbortSignal | null,
  sayRefused: (refusal: Refusal) => A,
  answer: (visit: Visit, aside: Aside) => Promise<A>,
): Promise<A | Answer<never>> {
  const { ports, parts, caller, who, door, bodyBytes } = visit;
  try {
    /** What was read before the wait may not be so any more. */
    const answerAnew = async (known: Caller, aside: Aside): Promise<A | Refusal> => {
      const session = await parts.enterSession(ports, known);
      return isRefusal(session) ? session : answer({ ...visit, session }, aside);
    };
    const answered = await ports.limits.inTurn(askerOf(who), bodyBytes, gone, (aside, waited) =>
      waited && caller ? answerAnew(caller, aside) : answer(visit, aside),
    );
    if (!isRefusal(answered)) return answered;
    await recordLimit(ports, door, who, answered);
    return sayRefused(answered);
  } catch (error) {
    if (error instanceof StoreUnavailable) return { kind: 'turned_away', refusal: unavailable() };
    visit.ports.log.error({ err: error }, 'a request failed unexpectedly');
    return { kind: 'error', code: internalError, message: 'Internal error' };
  }
}
