import { isToolResult } from '../../tools/index.ts';
import { isRefusal } from '../call/index.ts';
import { invalidParams } from './answers.ts';
import { describeEdit } from './pause.ts';
import { channelAt, decisionOf, refusalMeta, resultMeta, type Wording, withoutMeta } from './wording.ts';

/** A `tools/call` result as MCP has it. */
export interface ToolResult {
  readonly content: readonly Readonly<Record<string, unknown>>[];
  readonly structuredContent?: unknown;
  readonly isError?: true;
  readonly _meta: Readonly<Record<string, unknown>>;
}

/** What the call path answered, as the client is told it on either leg: a refusal is a result that the model can read. */
export const asTool: Wording<ToolResult> = {
  own: ({ text, meta }) => ({ content: [{ type: 'text', text }], _meta: meta }),
  told(visit, call, answer) {
    if (isRefusal(answer)) return asTool.refused(visit, call, answer, decisionOf(answer));
    if (!isToolResult(answer.result)) throw new Error('a tool answered with what is no result of a tool');
    const { content, structuredContent, isError } = answer.result;
    return {
      kind: 'result',
      result: {
        content: [...(answer.edited ? [{ type: 'text', text: describeEdit(answer.edited) }] : []), ...content.map(withoutMeta)],
        ...(structuredContent === undefined ? {} : { structuredContent }),
        ...(isError ? { isError: true } : {}),
        _meta: resultMeta(answer),
      },
    };
  },
  refused(visit, { name }, refusal, decision = {}) {
    switch (channelAt(visit, refusal)) {
      case 'unknown_tool':
        return { kind: 'error', code: invalidParams, message: `Unknown tool: ${name.slice(0, 128)}` };
      case 'door':
      case 'unavailable':
        return { kind: 'turned_away', refusal };
      case 'tool_error':
        return {
          kind: 'result',
          result: { content: [{ type: 'text', text: refusal.message }], isError: true, _meta: { ...decision, ...refusalMeta(refusal) } },
        };
    }
  },
};
