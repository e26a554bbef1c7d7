import { UnauthorizedError as AiUnauthorized, auth, createMCPClient } from '@ai-sdk/mcp';
import { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { auth as authV2, Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { auth as authV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { MCPServerStreamableHttp } from '@openai/agents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withBrowser } from '../console/stage.ts';
import { listenOn } from '../oauth/host.ts';
import { type Host, hostOf, type SponsorStage, startSponsorStage } from '../oauth/sponsor.ts';
import { openHost } from './clients.ts';

/** Further hosts whose sponsor logs in with a browser: unmodified, known by their document or registered by themselves. */

const pay = 'ledger__post_payment';

describe.skipIf(!withBrowser)('an interactive host', () => {
  let stage: SponsorStage;
  beforeAll(async () => {
    stage = await startSponsorStage();
  });
  afterAll(() => stage?.close());

  it('may be SDK v2 where it speaks 2025-11-25', async () => {
    const landing = await listenOn((_, response) => response.end('You can close this page.'));
    const host = hostOf(`${landing.url}/callback`, stage.document);
    const connect = () => {
      const client = new Client({ name: 'harbour', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
      const transport = new StreamableHTTPClientTransport(new URL(`${stage.broker.url}/t/acme/mcp`), { authProvider: host });
      return { client, transport, connected: client.connect(transport) };
    };
    const first = connect();
    await expect(first.connected).rejects.toBeInstanceOf(UnauthorizedError);
    await first.transport.finishAuth((await stage.sponsor(host, 'olga')).searchParams);
    const { client, connected } = connect();
    await connected;
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain(pay);
    await Promise.all([client.close(), landing.close()]);
  });

  async function throughAiSdk(generation: '2026-07-28' | '2025-11-25'): Promise<void> {
    const landing = await listenOn((_, response) => response.end('You can close this page.'));
    const host = {
      ...hostOf(`${landing.url}/callback`),
      storedState: () => 'a state of the host',
      authorizationServerInformation: () => host.kept['server'] as never,
      saveAuthorizationServerInformation: (server: unknown) => void Object.assign(host.kept, { server }),
    } as ReturnType<typeof hostOf> & Record<string, unknown>;
    const url = `${stage.broker.url}/t/acme/mcp`;
    const connect = () =>
      createMCPClient({ transport: { type: 'http', url, authProvider: host as never }, protocolVersionDiscovery: generation === '2026-07-28' });
    await expect(connect()).rejects.toBeInstanceOf(AiUnauthorized);
    const { searchParams } = await stage.sponsor(host, 'piet');
    const said = {
      authorizationCode: searchParams.get('code') ?? '',
      callbackState: searchParams.get('state') ?? '',
      callbackIssuer: searchParams.get('iss') ?? '',
    };
    expect(await auth(host as never, { serverUrl: url, ...said })).toBe('AUTHORIZED');
    const client = await connect();
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain(pay);
    await Promise.all([client.close(), landing.close()]);
  }

  it('may be the AI SDK where it speaks 2026-07-28', () => throughAiSdk('2026-07-28'));
  it('may be the AI SDK where it speaks 2025-11-25', () => throughAiSdk('2025-11-25'));

  /** A host that the sponsor has to let in first; then what `connect` made with it does its work. */
  async function letIn<T>(
    as: string,
    document: string | undefined,
    connect: (host: Host) => Promise<T>,
    finish: (host: Host, back: URL) => Promise<unknown>,
  ): Promise<T> {
    const landing = await listenOn((_, response) => response.end('You can close this page.'));
    try {
      const host = hostOf(`${landing.url}/callback`, document);
      await expect(connect(host)).rejects.toThrow();
      expect(host.kept['url']).toContain('/t/acme/oauth/authorize');
      expect(await finish(host, await stage.sponsor(host, as))).toBe('AUTHORIZED');
      return await connect(host);
    } finally {
      await landing.close();
    }
  }
  const finishV2 = (host: Host, { searchParams }: URL): Promise<unknown> =>
    authV2(host, { serverUrl: url(), authorizationCode: searchParams.get('code') ?? '', iss: searchParams.get('iss') ?? '' });
  const finishV1 = (host: Host, { searchParams }: URL): Promise<unknown> =>
    authV1(host, { serverUrl: url(), authorizationCode: searchParams.get('code') ?? '' });
  const url = (): string => `${stage.broker.url}/t/acme/mcp`;

  it('may be the OpenAI Agents SDK', async () => {
    const connect = async (authProvider: Host): Promise<MCPServerStreamableHttp> => {
      const server = new MCPServerStreamableHttp({ url: url(), authProvider });
      await server.connect();
      return server;
    };
    const server = await letIn('quin', stage.document, connect, finishV2);
    expect((await server.listTools()).map(({ name }) => name)).toContain(pay);
    await server.close();
  });

  it('may be LangChain.js', async () => {
    const connect = async (authProvider: Host) => {
      const client = new MultiServerMCPClient({ mcpServers: { taskgate: { transport: 'http', url: url(), authProvider } }, onConnectionError: 'throw' });
      return { client, tools: await client.getTools() };
    };
    const { client, tools } = await letIn('rosa', undefined, connect, finishV1);
    expect(tools.map(({ name }) => name)).toContain(pay);
    await client.close();
  });

  it('may be SDK v2 with ext-tasks, with the token its provider holds', async () => {
    const connect = async (host: Host) => {
      const client = new Client({ name: 'harbour', version: '1' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new StreamableHTTPClientTransport(new URL(url()), { authProvider: host }));
      await client.close();
      return (host.tokens() as { readonly access_token: string }).access_token;
    };
    const token = await letIn('sven', stage.document, connect, finishV2);
    const host = await openHost('MCP SDK v2 with ext-tasks', { url: url(), token }, { generation: '2026-07-28', rung: 'task' });
    expect(await host.list()).toContain(pay);
    expect(await host.call('mail__search', { query: 'INV-7' })).toMatchObject({ isError: false });
    await host.close();
  });
});
