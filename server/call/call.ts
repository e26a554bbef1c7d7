import type { CallSignal, UpstreamResult } from '../../tools/index.ts';
import type { Rung } from '../store/store.ts';
import type { Refusal } from './refusals.ts';

/** One `tools/call`, `prompts/get` or `resources/read` as it came in, already parsed strictly. */
export type CallRequest = Asked & {
  /** `_meta["taskgate/call"]`: makes an otherwise equal call another one; null when the client sent none. */
  readonly nonce: string | null;
  /** The approval a sealed `requestState` or task id names; null on a first try. */
  readonly resumes: string | null;
  readonly traceparent: string | null;
};

/** Not yet known to be granted: a tool or a prompt by its brokered name, or whatever is read at an address. */
export type Asked =
  | { readonly kind: 'tool' | 'prompt'; readonly tool: string; readonly arguments: unknown }
  | { readonly kind: 'resource'; readonly uri: string };

/** What a door lends to one call. */
export interface CallIo {
  /** Aborts when the client goes away: a held call is let go, a running one is cancelled upstream. */
  readonly signal: CallSignal;
  /** Longest this request may wait for a human, in milliseconds; 0 answers `approval.required` at once. */
  readonly holdMs: number;
  /** How this request waits for a human. */
  readonly rung: Rung;
  /** Told of the attempt before anything is sent, by whoever may ask for it as a task; never rejects. */
  readonly begun?: (attempt: Attempt) => Promise<void>;
  /** Null when the client asked for none. */
  readonly onProgress: ((progress: number, total: number | null) => void) | null;
  /** Runs a wait for a human or an upstream, during which the request keeps no place that others could work in. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
}

/** An attempt whose record is durable: what a task can name. */
export interface Attempt {
  readonly dispatch: string;
  /** The approval it runs under; null when nobody was asked. */
  readonly approval: string | null;
  /** Epoch milliseconds: after this nobody can tell any more how it ended. */
  readonly lostAt: number;
}

/** A result an agent may see, with where it stands on the record. */
export interface CallResult {
  readonly result: UpstreamResult;
  readonly decision: string;
  readonly record: number;
  /** The stored outcome of an approved call that had run before; nothing ran now. */
  readonly replayed: boolean;
  /** The approval it ran under; absent when nobody was asked. */
  readonly approval?: string;
  /** What a reviewer changed before it ran; absent when it ran as asked. */
  readonly edited?: Edited;
}

/** Arguments that were narrowed, as they were sent. */
export interface Edited {
  readonly approval: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export type CallAnswer = CallResult | (Refusal & { readonly decision: string; readonly record: number | null });

/** A tool as `tools/list` shows it: the registered definition under its brokered name. */
export interface ListedTool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** A resource as `resources/list` shows it: at its upstream's own address, and called by the name it is granted by. */
export interface ListedResource extends ListedRead {
  readonly uri: string;
}
export interface ListedTemplate extends ListedRead {
  readonly uriTemplate: string;
}
interface ListedRead {
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** A prompt as `prompts/list` shows it, under its brokered name. */
export interface ListedPrompt {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly { readonly name: string; readonly title?: string; readonly description?: string; readonly required?: boolean }[];
}

/** What an agent may know of an approval of its own session. */
export interface ApprovalState {
  readonly id: string;
  readonly status: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** The reviewer's words on a denial; theirs, so data and not instruction. */
  readonly reason: string | null;
  /** A reviewer narrowed the call: this is the approval that took the place of the one asked about. */
  readonly edited?: true;
  /** It gives the task more, rather than letting a call run. */
  readonly extension?: true;
}
