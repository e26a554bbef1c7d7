import type { RecordBody } from '../../audit/record.ts';
import type { Verb } from '../verb.ts';
import { appendAfter } from './records.ts';
import { isLineLive } from './session-rows.ts';
import { taskState } from './task-state.ts';

/** One step with looking, so that no end of the session comes between; null when it or one it draws on is not live. */
export function* appendWhileLive(tenant: string, session: string, at: number, record: RecordBody): Verb<number | null> {
  const [state] = yield* taskState(tenant, session);
  return state && isLineLive(state.line, at) ? yield* appendAfter(state.head, tenant, record) : null;
}
