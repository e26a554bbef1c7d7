import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import type { Ask } from './ask.ts';

/** What a connection needs of the way to its upstream, whichever way that is. */
export interface Wire {
  readonly transport: Transport;
  /** Makes one plain call by hand; null where only the SDK's client can. */
  readonly ask: Ask | null;
  /** Why the way is gone, once it is; null while it stands. */
  fault(): WireFault | null;
  /** Whether the call of this dispatch may have reached the upstream. */
  sent(dispatch: string): boolean;
  /** Why this one call lost its answer while the way stands; null when it did not. */
  broken(dispatch: string): WireFault | null;
  forget(dispatch: string): void;
}

export interface WireFault {
  readonly why: 'too_large' | 'died' | 'refused' | 'protocol';
  readonly detail: string;
}

/** The detail of a wire that was closed from this side. */
export const closedHere = 'was closed';

/** Largest message, in bytes, that anyone now waits for. */
export type Limit = () => number;

/** The part of a logger that upstreams use; pino's is one. */
export interface UpstreamLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export const dispatchKey = 'taskgate/dispatch';

const calls: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get']);

export function dispatchOf(message: JSONRPCMessage | JSONRPCMessage[]): string | null {
  if (Array.isArray(message) || !('method' in message) || !calls.has(message.method)) return null;
  const meta = (message.params as { readonly _meta?: Readonly<Record<string, unknown>> } | undefined)?._meta;
  const dispatch = meta?.[dispatchKey];
  return typeof dispatch === 'string' ? dispatch : null;
}

/** Takes secrets out of text that came from an upstream or a library and goes to a log, an error or a record. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => (secret.length >= 4 ? clean.replaceAll(secret, '[secret]') : clean), text);
}
