import { isRefusal, type Refusal, type RefusalCode } from '../../call/index.ts';
import type { Call } from '../answer-call.ts';
import { internalError, invalidParams } from '../answers.ts';
import type { Answer } from '../in-turn.ts';
import type { Visit } from '../parts.ts';
import { describeEdit } from '../pause.ts';
import { channelAt, decisionOf, refusalMeta, resultMeta, type Wording, withoutMeta } from '../wording.ts';

/** What is read and what is prompted with. Their results know no `isError`: a refusal is a JSON-RPC error, whose text says why. */

type Fields = Readonly<Record<string, unknown>>;

export interface ReadResult {
  readonly contents: readonly Fields[];
  readonly _meta: Fields;
}
export interface PromptResult {
  readonly description?: string;
  readonly messages: readonly Fields[];
  readonly _meta: Fields;
}

/** `notFound`: -32002 up to 2025-11-25, -32602 since. With nothing but the address in its data, a client tells it from bad arguments. */
export const asResource = (notFound: number): Wording<ReadResult> => {
  const refused = inErrors(({ name }) => ({ kind: 'error', code: notFound, message: 'Resource not found', data: { uri: name } }));
  return {
    own: null,
    refused,
    told(visit, call, answer) {
      if (isRefusal(answer)) return refused(visit, call, answer, decisionOf(answer));
      if (!('contents' in answer.result)) throw new Error('a resource answered with what is no result of one');
      const note = answer.edited ? [{ uri: 'taskgate:edited', mimeType: 'text/plain', text: describeEdit(answer.edited) }] : [];
      return { kind: 'result', result: { contents: [...answer.result.contents.map(withoutMeta), ...note], _meta: resultMeta(answer) } };
    },
  };
};

const unknownPrompt = ({ name }: Call): Answer<never> => ({ kind: 'error', code: invalidParams, message: `Unknown prompt: ${name.slice(0, 128)}` });

export const asPrompt: Wording<PromptResult> = {
  own: null,
  refused: inErrors(unknownPrompt),
  told(visit, call, answer) {
    if (isRefusal(answer)) return asPrompt.refused(visit, call, answer, decisionOf(answer));
    if (!('messages' in answer.result)) throw new Error('a prompt answered with what is no result of one');
    const { description, messages } = answer.result;
    // Beside the messages, which a host takes for its user's words.
    const says = [...(answer.edited ? [describeEdit(answer.edited)] : []), ...(description === undefined ? [] : [description])].join('\n');
    return { kind: 'result', result: { ...(says === '' ? {} : { description: says }), messages: messages.map(messageOf), _meta: resultMeta(answer) } };
  },
};

const messageOf = ({ role, content }: Fields): Fields => ({ role, content: withoutMeta(content as Fields) });

function inErrors(unknown: (call: Call) => Answer<never>): Wording<never>['refused'] {
  return (visit: Visit, call: Call, refusal: Refusal, decision: Fields = {}): Answer<never> => {
    switch (channelAt(visit, refusal)) {
      case 'unknown_tool':
        return unknown(call);
      case 'door':
      case 'unavailable':
        return { kind: 'turned_away', refusal };
      case 'tool_error':
        return { kind: 'error', code: codeOf(refusal.refused), message: refusal.message, data: { ...decision, ...refusalMeta(refusal) } };
    }
  };
}

/** JSON-RPC's own where they fit; else, as at the door, HTTP's, which stand outside its reserved range. */
function codeOf(code: RefusalCode): number {
  if (code.startsWith('arguments.')) return invalidParams;
  if (code === 'limit.exceeded') return 429;
  return code.startsWith('upstream.') || code === 'credential.unavailable' || code === 'outcome.unknown' || code === 'stale' ? internalError : 403;
}
