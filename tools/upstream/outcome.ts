import { ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import type { CompiledSchema } from '../arguments.ts';
import { AskFailed } from './exchange.ts';
import type { UpstreamCall, UpstreamOutcome, UpstreamResult } from './upstream.ts';
import type { Wire } from './wire.ts';

/** What became of a call: an answer passed on whole, or a failure that says whether the upstream may have acted. */

export type Why = Extract<UpstreamOutcome, { kind: 'failed' }>['why'];
export type Failed = (why: Why, detail: string) => UpstreamOutcome;

const deepestResult = 128;

export interface Answer {
  readonly content: unknown;
  readonly structuredContent?: unknown;
  readonly isError?: boolean | undefined;
}

/** `output` is the check of the tool's output schema; null when it has none, or none that can be run safely. */
export function settleTool(answer: Answer, output: CompiledSchema | null, most: number, failed: Failed): UpstreamOutcome {
  const { content, structuredContent } = answer;
  const isError = answer.isError === true;
  if (!Array.isArray(content)) return failed('protocol', 'its result has no content');
  const settled = settle({ content, isError, ...(structuredContent === undefined ? {} : { structuredContent }) }, most, failed);
  if (settled.kind === 'result' && output !== null && !isError) {
    // MCP 2025-06-18 and later: a tool with an output schema must answer structured content that conforms.
    if (structuredContent === undefined) return failed('protocol', 'it has an output schema but gave no structured content');
    const [problem] = output.check(structuredContent);
    if (problem !== undefined) return failed('protocol', `its structured content breaks its output schema: ${problem.path || '/'} ${problem.problem}`);
  }
  return settled;
}

/** A result of the right shape, when it is neither too large nor too deep. */
export function settle(result: UpstreamResult, most: number, failed: Failed): UpstreamOutcome {
  if (isDeeperThan(result, deepestResult)) return failed('protocol', 'its result is nested too deeply');
  const bytes = Buffer.byteLength(JSON.stringify(result));
  return bytes > most ? failed('too_large', `its result has ${bytes} bytes; ${most} are allowed`) : { kind: 'result', result, bytes };
}

/** Goes no deeper than it has to, so that depth cannot exhaust the stack it is meant to protect. */
function isDeeperThan(value: unknown, most: number): boolean {
  if (most < 0) return true;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((part) => isDeeperThan(part, most - 1));
  for (const name in value) if (isDeeperThan((value as Readonly<Record<string, unknown>>)[name], most - 1)) return true;
  return false;
}

/** Never in the upstream's words: they may quote the arguments, and what is said here goes to the record. */
export function explain(error: unknown, call: UpstreamCall, wire: Wire, failed: Failed): UpstreamOutcome {
  const fault = wire.broken(call.dispatch) ?? wire.fault();
  if (call.signal.aborted) return failed('cancelled', 'cancelled while it ran');
  if (fault !== null) return failed(fault.why, fault.detail);
  if (error instanceof AskFailed) return failed(error.why, error.message);
  if (error instanceof SdkError) {
    if (error.code === SdkErrorCode.RequestTimeout) return failed('timeout', `no answer within ${call.deadlineMs} ms`);
    if (error.code === SdkErrorCode.ConnectionClosed || error.code === SdkErrorCode.NotConnected) return failed('died', 'the connection closed');
    if (error.code === SdkErrorCode.UnsupportedResultType) return failed('protocol', 'it asked for input, which an upstream may not');
    if (error.code === SdkErrorCode.InvalidResult) return failed('protocol', 'its result is not a valid MCP result');
  }
  if (error instanceof ProtocolError) return failed('refused', `it answered with error ${error.code}`);
  const status = (error as { readonly status?: unknown }).status;
  if (typeof status === 'number') return failed('refused', `it answered with HTTP status ${status}`);
  if (isRedirect(error)) return failed('refused', 'it answered with a redirect, and those are not followed');
  return failed('died', error instanceof Error ? error.name : 'the connection failed');
}

function isRedirect(error: unknown): boolean {
  return error instanceof Error && (/redirect/i.test(error.message) || isRedirect(error.cause));
}
