import { type GetPromptResult, type InputRequiredResult, inputRequired, type Prompt, ProtocolError, type Server } from '@modelcontextprotocol/server';
import { elicitation, png } from './fixture-parts.ts';

/** The resources and prompts that the official suite's server scenarios read. */

const data = (id: string): string => JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });

export const resources = [
  {
    uri: 'test://static-text',
    as: 'static_text',
    says: 'A text',
    content: { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  },
  { uri: 'test://static-binary', as: 'static_binary', says: 'An image', content: { mimeType: 'image/png', blob: png } },
] as const;
export const templates = [{ template: 'test://template/{id}/data', as: 'data', says: 'Data by id' }] as const;

interface Fixture extends Omit<Prompt, 'name'> {
  readonly description: string;
  readonly says: (args: Readonly<Record<string, string>>) => GetPromptResult | InputRequiredResult;
}
const said = (...contents: GetPromptResult['messages'][number]['content'][]): GetPromptResult => ({
  messages: contents.map((content) => ({ role: 'user', content })),
});
const text = (words: string) => ({ type: 'text' as const, text: words });

export const prompts: Readonly<Record<string, Fixture>> = {
  test_simple_prompt: { description: 'Says one thing', says: () => said(text('This is a simple prompt for testing.')) },
  test_prompt_with_arguments: {
    description: 'Says what it is given',
    arguments: [
      { name: 'arg1', description: 'First test argument', required: true },
      { name: 'arg2', description: 'Second test argument', required: true },
    ],
    says: ({ arg1, arg2 }) => said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  },
  test_prompt_with_embedded_resource: {
    description: 'Has a resource in it',
    arguments: [{ name: 'resourceUri', description: 'URI of the resource to embed', required: true }],
    says: ({ resourceUri = '' }) =>
      said(
        { type: 'resource', resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' } },
        text('Please process the embedded resource above.'),
      ),
  },
  test_prompt_with_image: {
    description: 'Has an image in it',
    says: () => said({ type: 'image', data: png, mimeType: 'image/png' }, text('Please analyze the image above.')),
  },
  test_input_required_result_prompt: { description: 'Asks the user', says: () => inputRequired({ inputRequests: { user_context: elicitation('context') } }) },
};

export function serveReadable(server: Server): void {
  server.setRequestHandler('resources/list', () => ({
    resources: resources.map(({ uri, as, says, content }) => ({ uri, name: as, description: says, mimeType: content.mimeType })),
  }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: templates.map(({ template, as, says }) => ({ uriTemplate: template, name: as, description: says, mimeType: 'application/json' })),
  }));
  server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    const found = resources.find((one) => one.uri === uri);
    if (found) return { contents: [{ uri, ...found.content }] };
    const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
    if (id === undefined) throw new ProtocolError(-32602, 'Resource not found', { uri });
    return { contents: [{ uri, mimeType: 'application/json', text: data(decodeURIComponent(id)) }] };
  });
  server.setRequestHandler('prompts/list', () => ({
    prompts: Object.entries(prompts).map(([name, { description, arguments: takes }]) => ({
      name,
      description,
      ...(takes === undefined ? {} : { arguments: takes }),
    })),
  }));
  server.setRequestHandler('prompts/get', ({ params }) => {
    const found = prompts[params.name];
    if (!found) throw new ProtocolError(-32602, `Unknown prompt: ${params.name}`);
    return found.says(params.arguments ?? {});
  });
}
