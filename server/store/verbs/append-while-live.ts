import type { RecordBody } from '../../audit/record.ts';
import { together, type Verb } from '../verb.ts';
import { appendAfter, readHead } from './records.ts';
import { isLineLive, lineOf } from './session-rows.ts';

/** One step with looking, so that no end of the session comes between; null when it or one it draws on is not live. */
export function* appendWhileLive(tenant: string, session: string, at: number, record: RecordBody): Verb<number | null> {
  const [line, head] = yield* together(lineOf(tenant, session), readHead(tenant));
  return isLineLive(line, at) ? yield* appendAfter(head, tenant, record) : null;
}
