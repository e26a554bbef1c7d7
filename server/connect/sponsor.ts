import { isDeepStrictEqual } from 'node:util';
import type { BrokerDoors } from './broker.ts';
import { currentLogin, sponsorToken } from './logins.ts';
import type { TaskRequest } from './session.ts';
import { readToken } from './workload.ts';

/**
 * The ID token of whoever answers for the task: from a file, or of the person logged in here. Null when nobody is: then
 * only a use case that names its accountable person opens. A login made for exactly this task carries the task, signed.
 */
export async function sponsorFor(
  doors: BrokerDoors,
  options: { readonly data: string; readonly agent: string; readonly sponsorToken: string | null; readonly task: TaskRequest },
): Promise<string | null> {
  if (options.sponsorToken !== null) return readToken(options.sponsorToken, 'check --sponsor-token');
  const login = await currentLogin(options.data, doors.tenant);
  if (login === null || login.by !== 'local') return null;
  const covered = login.task?.agent === options.agent ? login.task.details : null;
  const { use_case, objective, inputs } = options.task;
  const asked = { type: 'taskgate-task', use_case, ...(objective === undefined ? {} : { objective }), inputs };
  const signed = covered !== null && isDeepStrictEqual(covered, asked) ? { authorization_details: [covered] } : {};
  return sponsorToken(doors, options.data, login, { agent: options.agent, ...signed });
}
