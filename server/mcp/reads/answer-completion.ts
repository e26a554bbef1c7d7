import { invalidParams } from '../answers.ts';
import { lackedScope } from '../check-scope.ts';
import { type Answer, guarded } from '../in-turn.ts';
import type { Visit } from '../parts.ts';

/** As both generations ask (`completion/complete`). */
export interface CompletionAsked {
  readonly ref: { readonly type: 'ref/prompt'; readonly name: string } | { readonly type: 'ref/resource'; readonly uri: string };
  readonly argument: { readonly name: string; readonly value: string };
}
interface Completion {
  readonly [name: string]: unknown;
  readonly values: string[];
  readonly total: number;
  readonly hasMore: boolean;
}

/** As many as MCP has an answer hold. */
const mostValues = 100;

export function answerCompletion(entered: Visit, { ref, argument }: CompletionAsked): Promise<Answer<{ completion: Completion }>> {
  return guarded<Answer<{ completion: Completion }>>(
    entered,
    null,
    (refusal) => ({ kind: 'turned_away', refusal }),
    async (visit) => {
      const of = ref.type === 'ref/prompt' ? { prompt: ref.name } : { template: ref.uri };
      const found = visit.session && visit.parts.completeArgument(visit.session, of, argument.name, argument.value);
      if (!found || lackedScope(visit, found.name) !== null) return { kind: 'error', code: invalidParams, message: 'Unknown prompt or template' };
      const { values } = found;
      return { kind: 'result', result: { completion: { values: values.slice(0, mostValues), total: values.length, hasMore: values.length > mostValues } } };
    },
  );
}
