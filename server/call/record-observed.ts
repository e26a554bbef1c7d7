import type { RecordBody } from '../audit/record.ts';
import { endOfDay } from '../documents/durations.ts';
import type { Session } from './enter-session.ts';
import type { Judgement } from './judge.ts';

/** What the records of an observed session's calls say of it; nothing for any other session. */
export const observedOf = ({ observedUntil }: Pick<Session, 'observedUntil'>): Pick<RecordBody, 'observed_until'> =>
  observedUntil === null ? {} : { observed_until: observedUntil };

/** What enforcing the tenant's policy would have answered, as the dispatch record keeps it. */
export function wouldOf({ wouldBe }: Pick<Judgement, 'wouldBe'>): Pick<RecordBody, 'would'> {
  if (wouldBe === null) return {};
  const { decision, policies } = wouldBe;
  const reasons = policies.flatMap(({ reason }) => reason ?? []);
  return {
    would: {
      decision,
      policies: policies.map(({ id }) => id),
      requirements: decision === 'require' ? wouldBe.requirements.map(({ literal }) => literal) : [],
      reasons: decision === 'deny' && wouldBe.cause === 'no_permit' ? ['No policy permits this call'] : reasons,
    },
  };
}

/** True when a judgement rests on an observation that is over by `at`, epoch milliseconds: the call is judged afresh. */
export const observationOver = ({ wouldBe, tool }: Judgement, at: number): boolean =>
  wouldBe !== null && (tool.session.observedUntil === null || endOfDay(tool.session.observedUntil) <= at);
