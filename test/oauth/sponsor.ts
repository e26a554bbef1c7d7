import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { barriers, openBrowser, openPage } from '../console/stage.ts';
import { secret, startProvider } from '../identity/provider.ts';
import { newFolder, type TestBroker } from '../support/broker.ts';
import { startHostBroker } from './host.ts';

/** What SDKs ask a host for, as a host keeps it; unmodified code of theirs does all the rest. */
export function hostOf(redirectUrl: string, clientMetadataUrl?: string) {
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
export type Host = ReturnType<typeof hostOf>;

/** A sponsor at a real browser, whose issuer is a real OpenID provider, and a broker that knows both. */
export interface SponsorStage {
  readonly broker: TestBroker;
  readonly issuer: string;
  /** Where the document of the host called Harbour is, behind TLS that this process trusts. */
  readonly document: string;
  /** What the person does, from the address the host opened to the page the host shows at the end. */
  sponsor(host: Host, as: string, options?: { readonly width?: number; readonly script?: boolean }): Promise<URL>;
  close(): Promise<void>;
}

export async function startSponsorStage(): Promise<SponsorStage> {
  const port = 17_411 + Math.floor(Math.random() * 20_000);
  const trusted = getCACertificates('default');
  const dir = await newFolder();
  const documents = await serveDocument(dir);
  const [issuer, browser] = await Promise.all([
    startProvider({ redirects: [`http://localhost:${port}/console/login/callback`], claims: () => ({ groups: ['finance'] }), clients: ['console-client'] }),
    openBrowser(),
  ]);
  const secretFile = join(dir, 'client-secret');
  await writeFile(secretFile, secret);
  const broker = await startHostBroker({
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
  return {
    broker,
    issuer: issuer.issuer,
    document: documents.url,
    async sponsor(host, as, { width = 1280, script = true } = {}) {
      const { page, context } = await openPage(browser, broker, { viewport: { width, height: 800 }, javaScriptEnabled: script });
      try {
        await page.goto(String(host.kept['url']));
        await page.getByRole('link', { name: `Continue at ${new URL(issuer.issuer).host}` }).click();
        await page.locator('input[name=login]').fill(as);
        await page.locator('input[name=password]').fill('any');
        await page.locator('button[type=submit]').click();
        await page.getByRole('button', { name: 'Continue' }).click();
        await consentOn(page, script);
        return new URL(page.url());
      } finally {
        await context.close();
      }
    },
    async close() {
      setDefaultCACertificates(trusted);
      await browser.close();
      await Promise.all([broker.end(), issuer.close(), documents.close()]);
    },
  };
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
