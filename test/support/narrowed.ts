import { join } from 'node:path';
import { findDoors } from '../../server/connect/broker.ts';
import type { Task } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import type { Doors } from './broker.ts';

/** Another token of acme's session, narrowed as `scope` says; null asks for no narrowing. */
export async function askNarrowed(broker: Doors, task: Task, scope: string | null): Promise<{ status: number; body: Record<string, unknown>; task: Task }> {
  const doors = await findDoors(broker.url, 'acme');
  const workload = findWorkload(doors, { agent: 'invoice-matcher', data: join(broker.dir, 'data'), svidFile: null, key: null });
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await workload.prove(),
    authorization_details: JSON.stringify([{ type: 'taskgate-task', session_id: task.session }]),
    ...(scope === null ? {} : { scope }),
  };
  const response = await fetch(doors.tokenEndpoint, { method: 'POST', body: new URLSearchParams(form) });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body, task: { ...task, accessToken: String(body['access_token']) } };
}
