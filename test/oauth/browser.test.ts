import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { Client, UnauthorizedError as ModernUnauthorized, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { UnauthorizedError as LegacyUnauthorized } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriers, openBrowser, openPage, withBrowser } from '../console/stage.ts';
import { secret, startProvider, type TestProvider } from '../identity/provider.ts';
import { newFolder, type TestBroker } from '../support/broker.ts';
import { listenOn, startHostBroker } from './host.ts';

const port = 17_411 + Math.floor(Math.random() * 20_000);

/** What both SDKs ask a host for, as a host keeps it; unmodified SDK code does all the rest. */
function hostOf(redirectUrl: string, clientMetadataUrl?: string) {
  const kept: Record<string, unknown> = {};
  return {
    kept,
    redirectUrl,
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    clientMetadata: { client_name: 'Harbour', redirect_uris: [redirectUrl], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
    state: () => 'a state of the host',
    clientInformation: () => kept['client'] as never,
    saveClientInformation: (client: unknown) => void Object.assign(kept, { client }),
    tokens: () => kept['tokens'] as never,
    saveTokens: (tokens: unknown) => void Object.assign(kept, { tokens }),
    redirectToAuthorization: (url: URL) => void Object.assign(kept, { url: url.href }),
    saveCodeVerifier: (verifier: string) => void Object.assign(kept, { verifier }),
    codeVerifier: () => String(kept['verifier']),
    discoveryState: () => kept['discovery'] as never,
    saveDiscoveryState: (discovery: unknown) => void Object.assign(kept, { discovery }),
  };
}
type Host = ReturnType<typeof hostOf>;

describe.skipIf(!withBrowser)('a host whose sponsor logs in with a real browser', () => {
  let issuer: TestProvider;
  let broker: TestBroker;
  let browser: Browser;
  let documents: { url: string; close(): Promise<void> };
  const trusted = getCACertificates('default');

  beforeAll(async () => {
    const dir = await newFolder();
    documents = await serveDocument(dir);
    [issuer, browser] = await Promise.all([
      startProvider({ redirects: [`http://localhost:${port}/console/login/callback`], claims: () => ({ groups: ['finance'] }), clients: ['console-client'] }),
      openBrowser(),
    ]);
    const secretFile = join(dir, 'client-secret');
    await writeFile(secretFile, secret);
    broker = await startHostBroker({
      dir,
      port,
      documents: [documents.url],
      platform(document) {
        const tenants = document['tenants'] as Record<string, { trust: object[] }>;
        tenants['acme']?.trust.push({
          ...{ oidc: issuer.issuer, audience: 'console-client', for: 'people', groups_claim: 'groups' },
          ...{ client_id: 'console-client', client_secret_file: secretFile },
        });
        return document;
      },
    });
  });
  afterAll(async () => {
    setDefaultCACertificates(trusted);
    await browser?.close();
    await Promise.all([broker?.end(), issuer?.close(), documents?.close()]);
  });

  /** What the person does, from the address the host opened to the page the host shows at the end. */
  async function sponsor(host: Host, as: string, options: { width?: number; script?: boolean } = {}): Promise<URL> {
    const look = await openPage(browser, broker, {
      viewport: { width: options.width ?? 1280, height: 800 },
      javaScriptEnabled: options.script ?? true,
    });
    const { page, context } = look;
    try {
      await page.goto(String(host.kept['url']));
      await page.getByRole('link', { name: `Continue at ${new URL(issuer.issuer).host}` }).click();
      await page.locator('input[name=login]').fill(as);
      await page.locator('input[name=password]').fill('any');
      await page.locator('button[type=submit]').click();
      await page.getByRole('button', { name: 'Continue' }).click();
      await consentOn(page, options.script ?? true);
      return new URL(page.url());
    } finally {
      await context.close();
    }
  }
  async function consentOn(page: Page, script: boolean): Promise<void> {
    await page.getByRole('heading', { level: 1, name: 'Harbour' }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    if (script) expect(await barriers(page)).toEqual([]);
    await page.getByLabel('What it is for').fill('Pay what Harbour delivered');
    await page.getByRole('textbox', { name: 'invoice', exact: true }).fill('INV-7');
    await page.getByRole('button', { name: 'Let it work for me' }).click();
    await page.getByText('You can close this page.').waitFor();
  }

  it('completes it with the OAuth provider of SDK v1, which registers itself, and without script', async () => {
    const landing = await listenOn((_, response) => response.end('You can close this page.'));
    const host = hostOf(`${landing.url}/callback`);
    const door = new URL(`${broker.url}/t/acme/mcp`);
    const transport = new LegacyTransport(door, { authProvider: host as never });
    await expect(new LegacyClient({ name: 'harbour', version: '1' }).connect(transport as never)).rejects.toBeInstanceOf(LegacyUnauthorized);
    const back = await sponsor(host, 'piet', { script: false });
    await transport.finishAuth(back.searchParams.get('code') ?? '');
    const client = new LegacyClient({ name: 'harbour', version: '1' });
    await client.connect(new LegacyTransport(door, { authProvider: host as never }) as never);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('ledger__post_payment');
    await Promise.all([client.close(), landing.close()]);
  });

  it('completes it with the OAuth provider of SDK v2, known by its document, and renews without asking again', async () => {
    const landing = await listenOn((_, response) => response.end('You can close this page.'));
    const host = hostOf(`${landing.url}/callback`, documents.url);
    const door = new URL(`${broker.url}/t/acme/mcp`);
    const connect = async () => {
      const client = new Client({ name: 'harbour', version: '1' }, { versionNegotiation: { mode: 'auto' } });
      const transport = new StreamableHTTPClientTransport(door, { authProvider: host });
      return { client, transport, connected: client.connect(transport) };
    };
    const first = await connect();
    await expect(first.connected).rejects.toBeInstanceOf(ModernUnauthorized);
    const back = await sponsor(host, 'olga', { width: 360 });
    await first.transport.finishAuth(back.searchParams);
    const { client, connected } = await connect();
    await connected;
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('ledger__post_payment');
    const [row] = await broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 5 });
    expect(row).toMatchObject({ sponsor: `${issuer.issuer}#olga`, sponsorGroups: ['finance'], attestedBy: 'sponsor', objective: 'Pay what Harbour delivered' });
    const before = host.kept['tokens'];
    broker.travel(16 * 60_000);
    expect((await client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } })).isError ?? false).toBe(false);
    expect(host.kept['tokens']).not.toEqual(before);
    await Promise.all([client.close(), landing.close()]);
  });
});

/** A document of a client behind TLS this process trusts, as SDK v2 insists on. */
async function serveDocument(dir: string) {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ]);
  setDefaultCACertificates([...getCACertificates('default'), await readFile(cert, 'utf8')]);
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/harbour.json`;
  server.on('request', (_, response) => {
    const document = { client_id: url, client_name: 'Harbour', redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  return {
    url,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
