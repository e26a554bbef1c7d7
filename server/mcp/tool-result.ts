import { isToolResult } from '../../tools/index.ts';
import { type CallAnswer, isRefusal, type Refusal } from '../call/index.ts';
import { channelOf, invalidParams } from './answers.ts';
import type { Answer } from './in-turn.ts';
import type { Visit } from './parts.ts';
import { approvalHandle, describeEdit } from './pause.ts';

/** A `tools/call` result as MCP has it. */
export interface ToolResult {
  readonly content: readonly Readonly<Record<string, unknown>>[];
  readonly structuredContent?: unknown;
  readonly isError?: true;
  readonly _meta: Readonly<Record<string, unknown>>;
}

/** What the call path answered, as the client is told it on either leg. */
export function toldAs(visit: Visit, tool: string, answer: CallAnswer): Answer<ToolResult> {
  const decision = { 'taskgate/decision': { id: answer.decision, record: answer.record } };
  if (isRefusal(answer)) return refused(visit, tool, answer, decision);
  if (!isToolResult(answer.result)) throw new Error('a tool answered with what is no result of a tool');
  const { content, structuredContent, isError } = answer.result;
  return {
    kind: 'result',
    result: {
      content: [...(answer.edited ? [{ type: 'text', text: describeEdit(answer.edited) }] : []), ...content.map(withoutMeta)],
      ...(structuredContent === undefined ? {} : { structuredContent }),
      ...(isError ? { isError: true } : {}),
      _meta: { ...decision, ...(answer.replayed ? { 'taskgate/replayed': true } : {}), ...(answer.edited ? { 'taskgate/edited': answer.edited } : {}) },
    },
  };
}

/** An upstream's `_meta` stays behind, on blocks and the resources in them: what stands under that name is Taskgate's word. */
function withoutMeta({ _meta, resource, ...block }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof resource !== 'object' || resource === null) return resource === undefined ? block : { ...block, resource };
  return { ...block, resource: withoutMeta(resource as Record<string, unknown>) };
}

export function refused(visit: Visit, tool: string, refusal: Refusal, decision: Readonly<Record<string, unknown>> = {}): Answer<ToolResult> {
  // A connection token outlives its tasks: a task that is over is told as a result, or the host would drop a good token.
  const outlived = visit.connection !== null && refusal.refused.startsWith('session.');
  switch (outlived ? 'tool_error' : channelOf(refusal.refused)) {
    case 'unknown_tool':
      return { kind: 'error', code: invalidParams, message: `Unknown tool: ${tool.slice(0, 128)}` };
    case 'door':
    case 'unavailable':
      return { kind: 'turned_away', refusal };
    case 'tool_error': {
      const waiting = refusal.refused === 'approval.required' || refusal.refused === 'approval.running';
      const approval = refusal.approval ? { 'taskgate/approval': approvalHandle(refusal.approval, waiting) } : {};
      const later = refusal.retryAfter === undefined ? {} : { retry_after: refusal.retryAfter };
      const _meta = { ...decision, 'taskgate/refusal': { code: refusal.refused, ...later }, ...approval };
      return { kind: 'result', result: { content: [{ type: 'text', text: refusal.message }], isError: true, _meta } };
    }
  }
}
