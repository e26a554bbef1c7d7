import { UnauthorizedError as AiUnauthorized, auth, createMCPClient } from '@ai-sdk/mcp';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withBrowser } from '../console/stage.ts';
import { listenOn } from '../oauth/host.ts';
import { hostOf, type SponsorStage, startSponsorStage } from '../oauth/sponsor.ts';

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
});
