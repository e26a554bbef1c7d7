import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import { seal, unseal } from '../credentials/index.ts';
import type { HeldDocuments } from '../documents/held.ts';
import type { Ports } from '../ports.ts';
import type { ChangeRow } from '../store/store.ts';

/** What a change would put in force, by the door it came through. */
export type Payload =
  | ({ readonly kind: 'documents' } & HeldDocuments)
  /** `sealed`: the value as the store will keep it, base64. */
  | { readonly kind: 'credential'; readonly name: string; readonly sealed: string }
  | { readonly kind: 'activation'; readonly agent: string }
  /** Definitions that an upstream changed, each by the digest that was looked at. */
  | { readonly kind: 'tools'; readonly upstream: string; readonly tools: readonly { readonly tool: string; readonly digest: string }[] }
  | { readonly kind: 'token'; readonly agent: string; readonly hash: string; readonly expires_at: number };

const context = (tenant: string, change: string): string => `change/${tenant}/${change}`;

export const sealPayload = (ports: Pick<Ports, 'keys'>, tenant: string, change: string, payload: Payload): Uint8Array =>
  seal(ports.keys.escrow, JSON.stringify(payload), context(tenant, change));

/** Throws when the bytes are not what was sealed for this very change. */
export function openPayload(ports: Pick<Ports, 'keys' | 'clock'>, { tenant, id, payload }: Pick<ChangeRow, 'tenant' | 'id' | 'payload'>): Payload {
  // Written by `sealPayload` and authenticated: its shape is ours.
  return JSON.parse(unseal(ports.keys.escrow, payload, context(tenant, id), ports.clock()).toString('utf8')) as Payload;
}

/** Equal for two requests that would put the same in force, wherever their files lay. */
export function contentOf(payload: Payload): string {
  const meant = payload.kind === 'documents' ? { ...payload, documents: payload.documents.map(({ source: _, ...document }) => document) } : payload;
  return sha256Hex(canonicalForm(meant));
}
