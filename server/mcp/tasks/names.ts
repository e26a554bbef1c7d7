import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { type RefusalCode, refusalCodes, type TaskName } from '../../call/index.ts';
import type { SecretKey } from '../../credentials/keys.ts';

/**
 * A task id says what it names, with a seal over that and over whose it is: the same on every replica, opened only for the agent, the
 * session and the key it was made for, and never a pass: what it names is read from the store, under the caller's own session.
 */

/** A refusal that was told at once, for a client that can be told only in a task: nothing is kept for it, so the id carries it. */
export interface Told {
  readonly kind: 'told';
  readonly code: RefusalCode;
  readonly message: string;
  readonly decision: string;
  /** Epoch milliseconds. */
  readonly at: number;
}
export type Named = TaskName | Told;

const longest = 8_192;
const told = z.strictObject({ code: z.enum(refusalCodes), message: z.string(), decision: z.string(), at: z.int() });
/** Ids are made by the store's clients: letters, digits, `_` and `-`, so that they stand in the `Mcp-Name` header as they are. */
const shape = /^(apr|dsp|tld)_([A-Za-z0-9_-]{1,8000})\.([A-Za-z0-9_-]{43})$/;

function textOf(named: Named): string {
  if (named.kind !== 'told') return named.id;
  const { code, message, decision, at } = named;
  return `tld_${Buffer.from(JSON.stringify({ code, message: message.slice(0, 2_000), decision, at })).toString('base64url')}`;
}

const sealOf = (key: SecretKey, holder: string, text: string): Buffer =>
  createHmac('sha256', key.bytes)
    .update(JSON.stringify(['taskgate/task', holder, text]))
    .digest();

const usable = (keys: readonly SecretKey[], at: number): readonly SecretKey[] => keys.filter(({ retiresAt }) => retiresAt === null || retiresAt > at);

export function sealTask(keys: readonly SecretKey[], holder: string, named: Named, at: number): string {
  const [newest] = usable(keys, at);
  if (!newest) throw new Error('there is no key to seal a task id with');
  const text = textOf(named);
  return `${text}.${sealOf(newest, holder, text).toString('base64url')}`;
}

/** Null for anything that was not sealed here for this holder. */
export function openTask(keys: readonly SecretKey[], holder: string, id: unknown, at: number): Named | null {
  if (typeof id !== 'string' || id.length > longest) return null;
  const [, kind, body, seal] = shape.exec(id) ?? [];
  if (kind === undefined || body === undefined || seal === undefined) return null;
  const text = `${kind}_${body}`;
  const given = Buffer.from(seal, 'base64url');
  if (given.toString('base64url') !== seal) return null;
  if (!usable(keys, at).some((key) => timingSafeEqual(sealOf(key, holder, text), given))) return null;
  if (kind === 'tld') return { kind: 'told', ...told.parse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8'))) };
  return { kind: kind === 'apr' ? 'approval' : 'dispatch', id: text };
}
