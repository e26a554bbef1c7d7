import { z } from 'zod';
import type { Change } from '../signals.ts';

/** What replicas tell each other through the server: names and ids, so that whoever can listen learns nothing that opens anything. */

export const channel = 'taskgate';

const notice = z.tuple([z.enum(['session', 'agent', 'approval', 'change', 'call', 'configuration', 'notification']), z.string(), z.string(), z.string()]);

/** The channel, and the text that goes through it; `here` is whoever tells it. */
export const writeNotice = ({ kind, tenant, id }: Change, here: string): [string, string] => [channel, JSON.stringify([kind, tenant, id, here])];

/** Null for what was told `here`, where it is known already, and for what no broker tells: anyone who may connect to the database can notify. */
export function readNotice(text: string, here: string): Change | null {
  try {
    const [kind, tenant, id, from] = notice.parse(JSON.parse(text));
    return from === here ? null : { kind, tenant, id };
  } catch {
    return null;
  }
}
