import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CompleteRequestSchema,
  GetPromptRequestSchema,
  type GetPromptResult,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ReadResourceRequestSchema,
  type ReadResourceResult,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { answerCall, type Lent, type Paused } from '../answer-call.ts';
import { answerList } from '../answer-list.ts';
import type { Answer } from '../in-turn.ts';
import type { Capabilities } from '../introduction.ts';
import type { Visit } from '../parts.ts';
import { answerCompletion } from './answer-completion.ts';
import { asPrompt, asResource } from './wording.ts';

/** Resources and prompts as 2025-11-25 and older have them. */

interface Asking {
  readonly _meta?: { readonly [name: string]: unknown; readonly progressToken?: string | number | undefined } | undefined;
}
/** Runs a call with what the leg lends to it. */
export type Lend = <T>(
  params: Asking,
  extra: Pick<RequestHandlerExtra<ServerRequest, ServerNotification>, 'requestId' | 'sendNotification'>,
  run: (lent: Lent) => Promise<T>,
) => Promise<T>;

interface Leg {
  readonly lend: Lend;
  /** Notes the HTTP answer of a refused request, or throws the error it is. */
  unwrap<T>(answer: Answer<T> | Paused): T;
}

/** These revisions have a code of its own for a resource that is not there (2025-11-25, Resources, Error Handling). */
const asOlderResource = asResource(-32002);

/** What was not declared is not served, and answered as a method that there is not. */
export function serveLegacyReads(server: Server, visit: Visit, declared: Capabilities, { lend, unwrap }: Leg): void {
  if (declared.completions) server.setRequestHandler(CompleteRequestSchema, async ({ params }) => ({ ...unwrap(await answerCompletion(visit, params)) }));
  if (declared.resources) {
    server.setRequestHandler(ListResourcesRequestSchema, async ({ params }) => ({
      resources: [...unwrap(await answerList(visit, 'resources', params?.cursor)).items],
    }));
    server.setRequestHandler(ListResourceTemplatesRequestSchema, async ({ params }) => ({
      resourceTemplates: [...unwrap(await answerList(visit, 'resourceTemplates', params?.cursor)).items],
    }));
    server.setRequestHandler(ReadResourceRequestSchema, ({ params }, extra) =>
      lend(params, extra, async (lent) => {
        const call = { kind: 'resource' as const, name: params.uri, arguments: {}, meta: params._meta ?? {} };
        return unwrap(await answerCall(visit, call, lent, asOlderResource)) as unknown as ReadResourceResult;
      }),
    );
  }
  if (declared.prompts) {
    server.setRequestHandler(ListPromptsRequestSchema, async ({ params }) => ({
      prompts: unwrap(await answerList(visit, 'prompts', params?.cursor)).items.map((prompt) => ({ ...prompt, arguments: [...(prompt.arguments ?? [])] })),
    }));
    server.setRequestHandler(GetPromptRequestSchema, ({ params }, extra) =>
      lend(params, extra, async (lent) => {
        const call = { kind: 'prompt' as const, name: params.name, arguments: params.arguments ?? {}, meta: params._meta ?? {} };
        return unwrap(await answerCall(visit, call, lent, asPrompt)) as unknown as GetPromptResult;
      }),
    );
  }
}
