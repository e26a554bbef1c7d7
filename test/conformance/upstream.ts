import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CallToolResult,
  type InputRequiredResult,
  inputRequired,
  ProtocolError,
  Server,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { elicitation, png, string } from './fixture-parts.ts';
import { serveReadable } from './readable.ts';

/** What the official suite's server scenarios call and read, as a real MCP server over stdio. */

type Run = (args: Readonly<Record<string, unknown>>, context: ServerContext) => CallToolResult | InputRequiredResult | Promise<CallToolResult>;
interface Fixture {
  readonly says: string;
  readonly schema?: Tool['inputSchema'];
  readonly run: Run;
}

const text = (words: string): CallToolResult => ({ content: [{ type: 'text', text: words }] });
const always =
  (result: CallToolResult): Run =>
  () =>
    result;
const wav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

/** Asks its client for something: of a broker, which offers its upstreams nothing of its agents, it gets nothing. */
const asks = (says: string, schema?: Tool['inputSchema']): Fixture => ({
  says,
  ...(schema === undefined ? {} : { schema }),
  run: () => inputRequired({ inputRequests: { user_name: elicitation('name') } }),
});

const vocabulary: Tool['inputSchema'] = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: string, city: string } } },
  properties: {
    name: string,
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: string,
    email: string,
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const reportProgress: Run = async (_args, { mcpReq }) => {
  const progressToken = mcpReq._meta?.progressToken;
  for (const progress of [0, 50, 100]) {
    if (progressToken !== undefined) await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
    // A step and the answer that arrive as one are told as one.
    await sleep(100);
  }
  return text('Three steps were taken.');
};

const compute: Run = async ({ seconds, label }, { mcpReq }) => {
  await sleep(Number(seconds) * 1_000, undefined, { signal: mcpReq.signal });
  return text(`Computed ${String(label ?? '')} for ${Number(seconds)} s`);
};

const fixtures: Readonly<Record<string, Fixture>> = {
  test_simple_text: { says: 'Answers with text', run: always(text('This is a simple text response for testing.')) },
  test_image_content: { says: 'Answers with an image', run: always({ content: [{ type: 'image', data: png, mimeType: 'image/png' }] }) },
  test_audio_content: { says: 'Answers with sound', run: always({ content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }] }) },
  test_embedded_resource: {
    says: 'Answers with a resource in it',
    run: always({
      content: [{ type: 'resource', resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' } }],
    }),
  },
  test_multiple_content_types: {
    says: 'Answers with several kinds of content',
    run: always({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: png, mimeType: 'image/png' },
        { type: 'resource', resource: { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: '{"test":"data","value":123}' } },
      ],
    }),
  },
  test_tool_with_logging: { says: 'Answers with text, and would log', run: always(text('Nobody asked for a log.')) },
  test_logging_tool: { says: 'Answers with text, and would log', run: always(text('Nobody asked for a log.')) },
  test_error_handling: { says: 'Always fails', run: always({ ...text('This tool intentionally returns an error for testing'), isError: true }) },
  test_tool_with_progress: { says: 'Reports progress', run: reportProgress },
  json_schema_2020_12_tool: { says: 'Has a schema of many keywords', schema: vocabulary, run: always(text('It fits.')) },
  test_sampling: asks('Asks for a model’s words', { type: 'object', properties: { prompt: string } }),
  test_elicitation: asks('Asks the user', { type: 'object', properties: { message: string } }),
  test_elicitation_sep1034_defaults: asks('Asks the user, with defaults'),
  test_elicitation_sep1330_enums: asks('Asks the user to choose'),
  test_streaming_elicitation: asks('Asks the user while it streams'),
  test_missing_capability: asks('Needs a capability of the client'),
  test_input_required_result_elicitation: asks('Asks the user'),
  test_input_required_result_sampling: asks('Asks for a model’s words'),
  test_input_required_result_list_roots: asks('Asks for roots'),
  test_input_required_result_request_state: asks('Asks, and keeps state'),
  test_input_required_result_multiple_inputs: asks('Asks for several things'),
  test_input_required_result_multi_round: asks('Asks in rounds'),
  test_input_required_result_tampered_state: asks('Asks, and keeps state'),
  test_input_required_result_capabilities: asks('Asks for what the client can'),
  greet: {
    says: 'Greets',
    schema: { type: 'object', properties: { name: { ...string, 'x-mcp-header': 'Name' } } },
    run: ({ name }) => text(`Hello, ${String(name)}!`),
  },
  slow_compute: {
    says: 'Takes its time',
    schema: { type: 'object', properties: { seconds: { type: 'number' }, label: string }, required: ['seconds'] },
    run: compute,
  },
  failing_job: { says: 'Fails after a second', run: () => sleep(1_000).then(() => ({ ...text('The job failed.'), isError: true })) },
  protocol_error_job: {
    says: 'Breaks',
    run: () => {
      throw new ProtocolError(-32603, 'the job broke');
    },
  },
  confirm_delete: asks('Asks whether to delete', { type: 'object', properties: { filename: string } }),
  multi_input: asks('Asks for two things at once'),
  test_tool_with_task: asks('Asks, and then takes its time'),
};

serveStdio(() => {
  const server = new Server({ name: 'conformance-upstream', version: '1.0.0' }, { capabilities: { tools: {}, resources: {}, prompts: {} } });
  serveReadable(server);
  server.setRequestHandler('tools/list', () => ({
    tools: Object.entries(fixtures).map(([name, { says, schema }]) => ({ name, description: says, inputSchema: schema ?? { type: 'object' } })),
  }));
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const fixture = fixtures[params.name];
    if (!fixture) throw new ProtocolError(-32602, `Unknown tool: ${params.name}`);
    return fixture.run(params.arguments ?? {}, context);
  });
  return server;
});
