import type { RecordBody } from '../../audit/record.ts';
import type { Verb } from '../verb.ts';
import { appendRecord } from './records.ts';
import { isLineLive, lineOf } from './session-rows.ts';

/** One step with looking, so that no end of the session comes between; null when it or one it draws on is not live. */
export function* appendWhileLive(tenant: string, session: string, at: number, record: RecordBody): Verb<number | null> {
  const live = yield* isLineLive(tenant, yield* lineOf(tenant, session), at);
  return live ? yield* appendRecord(tenant, record) : null;
}
