import type { GetPromptResult, InputRequiredResult, ReadResourceResult, Server } from '@modelcontextprotocol/server';
import { answerCall, type Paused } from '../answer-call.ts';
import { answerList } from '../answer-list.ts';
import { invalidParams } from '../answers.ts';
import type { Answer } from '../in-turn.ts';
import type { Capabilities } from '../introduction.ts';
import { lentBy, metaOf } from '../lent-by.ts';
import type { Visit } from '../parts.ts';
import { answerCompletion } from './answer-completion.ts';
import { asPrompt, asResource } from './wording.ts';

/** Resources and prompts as 2026-07-28 has them: what waits for a human is asked again in rounds, as a call of a tool is. */

interface Leg {
  paused(paused: Paused): Promise<InputRequiredResult>;
  /** Notes the HTTP answer of a refused request, or throws the error it is. */
  unwrap<T>(answer: Answer<T>): T;
}

const asNewerResource = asResource(invalidParams);
/** What is read may be kept for no moment: each time it is judged whether it may be, and written down that it was. */
const notKept = { ttlMs: 0, cacheScope: 'private' as const };

/** What was not declared is not served, and answered as a method that there is not. */
export function serveReads(server: Server, visit: Visit, declared: Capabilities, { paused, unwrap }: Leg): void {
  if (declared.completions) server.setRequestHandler('completion/complete', async ({ params }) => unwrap(await answerCompletion(visit, params)));
  if (declared.resources) {
    server.setRequestHandler('resources/list', async ({ params }) => {
      const { items, ...cache } = unwrap(await answerList(visit, 'resources', params?.cursor));
      return { resources: [...items], ...cache };
    });
    server.setRequestHandler('resources/templates/list', async ({ params }) => {
      const { items, ...cache } = unwrap(await answerList(visit, 'resourceTemplates', params?.cursor));
      return { resourceTemplates: [...items], ...cache };
    });
    server.setRequestHandler('resources/read', async ({ params }, context) => {
      const call = { kind: 'resource' as const, name: params.uri, arguments: {}, meta: metaOf(context) };
      const answer = await answerCall(visit, call, lentBy(context), asNewerResource);
      return answer.kind === 'paused' ? paused(answer) : ({ ...unwrap(answer), ...notKept } as unknown as ReadResourceResult);
    });
  }
  if (declared.prompts) {
    server.setRequestHandler('prompts/list', async ({ params }) => {
      const { items, ...cache } = unwrap(await answerList(visit, 'prompts', params?.cursor));
      return { prompts: items.map((prompt) => ({ ...prompt, arguments: [...(prompt.arguments ?? [])] })), ...cache };
    });
    server.setRequestHandler('prompts/get', async ({ params }, context) => {
      const call = { kind: 'prompt' as const, name: params.name, arguments: params.arguments ?? {}, meta: metaOf(context) };
      const answer = await answerCall(visit, call, lentBy(context), asPrompt);
      return answer.kind === 'paused' ? paused(answer) : (unwrap(answer) as unknown as GetPromptResult);
    });
  }
}
