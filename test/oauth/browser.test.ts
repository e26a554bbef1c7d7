import { Client, DpopSession, UnauthorizedError as ModernUnauthorized, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { UnauthorizedError as LegacyUnauthorized } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withBrowser } from '../console/stage.ts';
import { listenOn } from './host.ts';
import { hostOf, type SponsorStage, startSponsorStage } from './sponsor.ts';

describe.skipIf(!withBrowser)('a host whose sponsor logs in with a real browser', () => {
  let stage: SponsorStage;
  beforeAll(async () => {
    stage = await startSponsorStage();
  });
  afterAll(() => stage?.close());

  it('completes it with the OAuth provider of SDK v1, which registers itself, and without script', async () => {
    const landing = await listenOn((_, response) => response.end('You can close this page.'));
    const host = hostOf(`${landing.url}/callback`);
    const door = new URL(`${stage.broker.url}/t/acme/mcp`);
    const transport = new LegacyTransport(door, { authProvider: host as never });
    await expect(new LegacyClient({ name: 'harbour', version: '1' }).connect(transport as never)).rejects.toBeInstanceOf(LegacyUnauthorized);
    const back = await stage.sponsor(host, 'piet', { script: false });
    await transport.finishAuth(back.searchParams.get('code') ?? '');
    const client = new LegacyClient({ name: 'harbour', version: '1' });
    await client.connect(new LegacyTransport(door, { authProvider: host as never }) as never);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('ledger__post_payment');
    await Promise.all([client.close(), landing.close()]);
  });

  it('completes it with the OAuth provider of SDK v2 that proves a key, in a task bound to that key', async () => {
    const landing = await listenOn((_, response) => response.end('You can close this page.'));
    const key = await DpopSession.create();
    const host = Object.assign(hostOf(`${landing.url}/callback`, stage.document), { dpop: () => key });
    const door = new URL(`${stage.broker.url}/t/acme/mcp`);
    const transport = new StreamableHTTPClientTransport(door, { authProvider: host });
    await expect(new Client({ name: 'harbour', version: '1' }).connect(transport)).rejects.toBeInstanceOf(ModernUnauthorized);
    await transport.finishAuth((await stage.sponsor(host, 'olga')).searchParams);
    const client = new Client({ name: 'harbour', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(door, { authProvider: host }));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('ledger__post_payment');
    expect(host.kept['tokens']).toMatchObject({ token_type: 'DPoP' });
    const rows = await stage.broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 20 });
    expect(rows.map(({ cnf }) => cnf)).toContainEqual({ jkt: key.thumbprint });
    await Promise.all([client.close(), landing.close()]);
  });

  it('completes it with the OAuth provider of SDK v2, known by its document, and renews without asking again', async () => {
    const landing = await listenOn((_, response) => response.end('You can close this page.'));
    const host = hostOf(`${landing.url}/callback`, stage.document);
    const door = new URL(`${stage.broker.url}/t/acme/mcp`);
    const connect = async () => {
      const client = new Client({ name: 'harbour', version: '1' }, { versionNegotiation: { mode: 'auto' } });
      const transport = new StreamableHTTPClientTransport(door, { authProvider: host });
      return { client, transport, connected: client.connect(transport) };
    };
    const first = await connect();
    await expect(first.connected).rejects.toBeInstanceOf(ModernUnauthorized);
    const back = await stage.sponsor(host, 'olga', { width: 360 });
    await first.transport.finishAuth(back.searchParams);
    const { client, connected } = await connect();
    await connected;
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('ledger__post_payment');
    const [row] = await stage.broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 5 });
    expect(row).toMatchObject({ sponsor: `${stage.issuer}#olga`, sponsorGroups: ['finance'], attestedBy: 'sponsor', objective: 'Pay what Harbour delivered' });
    const before = host.kept['tokens'];
    stage.broker.travel(16 * 60_000);
    expect((await client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } })).isError ?? false).toBe(false);
    expect(host.kept['tokens']).not.toEqual(before);
    await Promise.all([client.close(), landing.close()]);
  });
});
