import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

/** A real OpenID provider on a free port of this machine, with its own login pages driven as a browser would. */
export interface TestProvider {
  readonly issuer: string;
  /** The whole authorization code flow with PKCE; answers the ID token. */
  logIn(as: string, client?: string): Promise<string>;
  /** `client_credentials` of a machine client: a JWT for `audience`. */
  machineToken(client: string, audience: string): Promise<string>;
  close(): Promise<void>;
}

const redirectUri = 'http://127.0.0.1/callback';
export const secret = 'a-secret-of-a-test-client-that-is-long-enough';

export async function startProvider(
  options: {
    claims?: (subject: string) => Readonly<Record<string, unknown>>;
    clients?: readonly string[];
    /** Further addresses it may send people back to. */
    redirects?: readonly string[];
  } = {},
): Promise<TestProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const signing = { ...(await exportJWK(privateKey)), kid: 'provider-key', alg: 'ES256', use: 'sig' };
  const people = (options.clients ?? ['taskgate']).map((client_id) => ({
    client_id,
    client_secret: secret,
    redirect_uris: [redirectUri, ...(options.redirects ?? [])],
    grant_types: ['authorization_code'],
    response_types: ['code' as const],
    id_token_signed_response_alg: 'ES256' as const,
    application_type: 'native' as const,
  }));
  const machine = {
    client_id: 'machine',
    client_secret: secret,
    redirect_uris: [],
    grant_types: ['client_credentials'],
    response_types: [],
    id_token_signed_response_alg: 'ES256' as const,
  };
  const provider = new Provider(issuer, {
    clients: [...people, machine],
    jwks: { keys: [signing] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    conformIdTokenClaims: false,
    claims: { openid: ['sub', 'groups', 'may_act'] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...options.claims?.(sub) }) }),
    ttl: { IdToken: 600, AccessToken: 300, ClientCredentials: 300, Grant: 600, Interaction: 600, Session: 600 },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => [],
        useGrantedResource: () => false,
        getResourceServerInfo: (_, resource) => ({
          scope: '',
          audience: resource,
          accessTokenTTL: 300,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());

  const form = async (path: string, body: Readonly<Record<string, string>>, client: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams(body),
      headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
    });
    return (await response.json()) as Record<string, unknown>;
  };

  return {
    issuer,
    async logIn(as, client = 'taskgate') {
      const verifier = randomBytes(32).toString('base64url');
      const query = new URLSearchParams({
        client_id: client,
        response_type: 'code',
        scope: 'openid',
        redirect_uri: redirectUri,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      });
      const code = (await walkLogin(`${issuer}/auth?${query}`, as, redirectUri)).searchParams.get('code') ?? '';
      const answer = await form('/token', { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }, client);
      if (typeof answer['id_token'] !== 'string') throw new Error(`no ID token: ${JSON.stringify(answer)}`);
      return answer['id_token'];
    },
    async machineToken(client, audience) {
      const answer = await form('/token', { grant_type: 'client_credentials', resource: audience }, client);
      if (typeof answer['access_token'] !== 'string') throw new Error(`no token: ${JSON.stringify(answer)}`);
      return answer['access_token'];
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A browser's part: keeps cookies, follows redirects, submits the login and the consent page, ends at the address `until`. */
export async function walkLogin(start: string, as: string, until: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let request: { url: string; init: RequestInit } = { url: start, init: {} };
  for (let step = 0; step < 12; step++) {
    const response = await fetch(request.url, {
      ...request.init,
      redirect: 'manual',
      headers: { ...request.init.headers, cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=');
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location) {
      const next = new URL(location, request.url);
      if (next.href.startsWith(until)) return next;
      request = { url: next.href, init: {} };
      continue;
    }
    const page = await response.text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (!prompt) throw new Error(`the provider shows neither login nor consent: ${page.slice(0, 300)}`);
    const body = new URLSearchParams(prompt === 'login' ? { prompt, login: as, password: 'any' } : { prompt });
    request = { url: request.url, init: { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } } };
  }
  throw new Error('the login did not end');
}
