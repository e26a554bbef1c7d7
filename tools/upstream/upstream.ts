import type { Definition, OperationKind } from '../definition.ts';

/** A live connection to one upstream, for one tenant and one principal; never shared beyond its key. */
export interface UpstreamConnection {
  /** The definitions as the upstream lists them; listed at connect, again after it announces a change, and when `again`. */
  definitions(again?: boolean): Promise<readonly Definition[]>;
  /** One attempt, never retried here. */
  call(call: UpstreamCall): Promise<UpstreamOutcome>;
  close(): Promise<void>;
}

export interface UpstreamCall {
  readonly kind: OperationKind;
  /** As the upstream has it: a tool's or prompt's name, a URI, or the template that `arguments` fill in. */
  readonly address: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly dispatch: string;
  readonly signal: CallSignal;
  readonly deadlineMs: number;
  readonly maxResultBytes: number;
  /** A header (Streamable HTTP only) that carries the dispatch id as idempotency key: `idempotency: header:<name>`. */
  readonly idempotencyHeader?: string;
  /** W3C trace context to carry on; null when the caller sent none. */
  readonly traceparent: string | null;
  /** Numbers only: an upstream's progress words never pass. Null when nobody asked, and then none is asked for. */
  readonly onProgress: ((progress: number, total: number | null) => void) | null;
}

/** What calls a call off: an `AbortSignal`, or as much of one as is needed for that. */
export interface CallSignal extends Pick<AbortSignal, 'aborted' | 'reason'> {
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What a tool answered: MCP content and structured content, whole and untouched. */
export interface ToolResult {
  readonly content: readonly Readonly<Record<string, unknown>>[];
  readonly structuredContent?: unknown;
  readonly isError: boolean;
}

/** What was read of a resource: one or several contents, each with its URI and text or bytes. */
export interface ResourceResult {
  readonly contents: readonly Readonly<Record<string, unknown>>[];
}

export interface PromptResult {
  readonly description?: string;
  readonly messages: readonly Readonly<Record<string, unknown>>[];
}

/** By the kind of what was called; each has a member that no other has. */
export type UpstreamResult = ToolResult | ResourceResult | PromptResult;

export const isToolResult = (result: UpstreamResult): result is ToolResult => 'content' in result;

/** `sent: false` is a promise that the upstream did not get the call; everything else may have had its effect. */
export type UpstreamOutcome =
  | { readonly kind: 'result'; readonly result: UpstreamResult; readonly bytes: number }
  | {
      readonly kind: 'failed';
      readonly why: 'timeout' | 'too_large' | 'died' | 'protocol' | 'refused' | 'cancelled';
      readonly sent: boolean;
      readonly detail: string;
    };

/** How to reach an upstream: everything resolved, secrets included. Lives only in memory. */
export type UpstreamTarget = {
  /** What of it is listed; tools alone when left out. */
  readonly lists?: readonly OperationKind[];
} & (
  | {
      readonly type: 'stdio';
      readonly run: readonly string[];
      readonly allowRead: readonly string[];
      readonly allowWrite: readonly string[];
      /** The child's whole environment beside PATH-less defaults: exactly these; a value that starts with `{folder}/` lies in the child's own working folder. */
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly type: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly egress: readonly string[] }
);

/**
 * Connections by key: lazily made, restarted with back-off, closed when idle or told. A key is `<tenant>/…/<what its target is>`:
 * where only the last part differs, the newer target has taken the older one's place.
 */
export interface UpstreamPool {
  /** Rejects with `UpstreamUnavailable`, or `UpstreamsBusy` when the tenant has all the children it may have. The same key always means the same target. */
  connect(key: string, target: UpstreamTarget): Promise<UpstreamConnection>;
  close(): Promise<void>;
}

export class UpstreamUnavailable extends Error {
  override readonly name: string = 'UpstreamUnavailable';
}

/** A tenant's children are as many as it may have, and none of them rests. */
export class UpstreamsBusy extends UpstreamUnavailable {
  override readonly name = 'UpstreamsBusy';
}
