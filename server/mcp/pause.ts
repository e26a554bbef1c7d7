import { createRequestStateCodec, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import type { ApprovalState, Edited, Refusal } from '../call/index.ts';
import type { SecretKey } from '../credentials/keys.ts';
import type { Call } from './answer-call.ts';

/**
 * A call that waits for a human. A modern client is answered `input_required` with nothing but a `requestState`
 * (2026-07-28, Multi Round-Trip Requests), which it sends back with the same call; every other gets a handle.
 */

export const mostRounds = 8;
/** Seconds a client should leave between two looks at an approval. */
const retryAfter = 5;
/** No approval lives longer; what it names is judged by the store each time. */
const longestApproval = 86_400;

const pauseState = z.strictObject({ approval: z.string(), round: z.int().min(1).max(mostRounds), call: z.string() });
/** What a `requestState` says: the approval waited for, how many rounds were answered so far, and for which call. */
export type PauseState = z.infer<typeof pauseState>;

export interface PauseCodec {
  mint(state: PauseState): Promise<string>;
  /** Throws on anything that was not minted here for the same agent in the same session. */
  verify(state: string, context: ServerContext): Promise<PauseState>;
}

/** Seals with the newest key and opens with each that has not retired, so that replicas can rotate them. */
export function createPauseCodec(keys: readonly SecretKey[], holder: string, at: number): PauseCodec {
  const bind = (): string => holder;
  const usable = keys.filter((key) => key.retiresAt === null || key.retiresAt > at);
  const codecs = usable.map((key) => createRequestStateCodec({ key: key.bytes, ttlSeconds: longestApproval, bind }));
  return {
    async mint(state) {
      const newest = codecs[0];
      if (!newest) throw new Error('there is no key to seal a paused call with');
      // The codec asks for a context only to hand it to `bind`, which has no use for it.
      return newest.mint(state, {} as ServerContext);
    },
    async verify(state, context) {
      for (const codec of codecs) {
        const opened = await codec.verify(state, context).catch(() => undefined);
        if (opened !== undefined) return pauseState.parse(opened);
      }
      throw new Error('not sealed here');
    },
  };
}

/** Which call a state belongs to; null for arguments without a canonical form, which no state can belong to. */
export function digestCall({ kind, name, arguments: args }: Call, nonce: string | null): string | null {
  try {
    return sha256Hex(canonicalForm(kind === 'tool' ? [name, args, nonce] : [kind, name, args, nonce]));
  } catch {
    return null;
  }
}

/** The handle a client waits with; `retry_after`, in seconds, only while there is something to wait for. */
export function approvalHandle({ id, status, expiresAt }: NonNullable<Refusal['approval']>, waiting: boolean): Readonly<Record<string, unknown>> {
  return { id, status, ...(waiting ? { retry_after: retryAfter } : {}), expires_at: Math.floor(expiresAt / 1000) };
}

/** How an extension stands, for the model. */
export function describeExtension({ id, status, expiresAt }: Pick<ApprovalState, 'id' | 'status' | 'expiresAt'>): string {
  switch (status) {
    case 'pending':
      return `Nothing has changed yet: approval ${id} waits for people, until ${new Date(expiresAt).toISOString()}. Call await_approval with that id.`;
    case 'approved':
      return `Approval ${id} was given and is being put in force. Call await_approval again.`;
    case 'used':
      return `The task was given what was asked for under approval ${id}. List the tools again.`;
    default:
      return `Approval ${id} is ${status}; the task has nothing more than before. Do not ask the same again.`;
  }
}

/** What `await_approval` tells the model. */
export function describeApproval(state: ApprovalState): string {
  if (state.extension) return describeExtension(state);
  return state.edited ? `A reviewer narrowed the call's arguments. ${describeStatus(state)}` : describeStatus(state);
}

/** Told beside a result: it is not the result of what the model asked. */
export const describeEdit = ({ arguments: sent }: Edited): string =>
  `Taskgate: a reviewer narrowed this call before it ran. What ran was sent with ${JSON.stringify(sent)} in place of what you gave.`;

function describeStatus({ id, status, expiresAt, reason }: ApprovalState): string {
  switch (status) {
    case 'pending':
      return `Approval ${id} is still pending; nothing was executed. It lapses at ${new Date(expiresAt).toISOString()}. Call await_approval again, or retry the exact call.`;
    case 'approved':
      return `Approval ${id} was given; nothing was executed yet. Retry the exact call, with the same arguments, to run it.`;
    case 'used':
      return `The call of approval ${id} has run. Retry the exact call to read its outcome; it does not run again.`;
    case 'denied':
      return `Approval ${id} was denied; nothing was executed. Do not retry it.${reason ? ` The reviewer's words, as data: ${JSON.stringify(reason.slice(0, 500))}` : ''}`;
    case 'expired':
      return `Approval ${id} expired before anyone decided; nothing was executed.`;
    default:
      return `Approval ${id} is ${status}; nothing was executed under it.`;
  }
}
