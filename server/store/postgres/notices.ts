import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Change } from '../signals.ts';

/** What replicas tell each other through the server: names and ids, so that whoever can listen learns nothing that opens anything. */

export const channel = 'taskgate';

/** Which process told it: what comes back to it was told here already. */
const here = randomBytes(9).toString('base64url');

const notice = z.tuple([z.enum(['session', 'agent', 'approval', 'configuration']), z.string(), z.string(), z.string()]);

/** The channel, and the text that goes through it. */
export const writeNotice = ({ kind, tenant, id }: Change): [string, string] => [channel, JSON.stringify([kind, tenant, id, here])];

/** Null for what this process told itself, and for what no broker tells: anyone who may connect to the database can notify. */
export function readNotice(text: string): Change | null {
  try {
    const [kind, tenant, id, from] = notice.parse(JSON.parse(text));
    return from === here ? null : { kind, tenant, id };
  } catch {
    return null;
  }
}
