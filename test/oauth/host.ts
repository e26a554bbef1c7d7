import { createHash, randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fieldOf, type Visit } from '../console/visit.ts';
import { startTestBroker, type TestBroker, type TestOptions } from '../support/broker.ts';

/** A host as the broker sees one, by hand: for what no well-behaved client does. */

export const callback = 'http://127.0.0.1:4711/callback';

/** A tenant whose invoice-matcher may be acted as by `desk`, by the clients of `documents`, and by whoever registered itself. */
export function startHostBroker(options: TestOptions & { readonly documents?: readonly string[]; readonly registration?: false } = {}): Promise<TestBroker> {
  const { documents = [], registration, ...rest } = options;
  return startTestBroker({
    ...rest,
    platform(document) {
      const tenants = document['tenants'] as Record<string, Record<string, unknown>>;
      const egress = documents.map((one) => new URL(one).host);
      const changed = { ...document, tenants: { ...tenants, acme: { ...tenants['acme'], client_documents: { egress } } } };
      return rest.platform?.(changed) ?? changed;
    },
    change(document) {
      const { kind, name, tenant } = document;
      let changed = document;
      if (kind === 'Tenant' && name === 'acme') {
        const clients = {
          desk: { name: 'The Desk', redirects: ['http://127.0.0.1/callback'] },
          shelf: { name: 'Shelf', redirects: ['http://127.0.0.1/callback'] },
        };
        const { registration: switched, ...without } = document;
        changed = { ...without, clients, ...(registration === false ? {} : { registration: switched }) };
      }
      if (kind === 'Agent' && name === 'invoice-matcher' && tenant === 'acme') changed = { ...document, clients: ['desk', 'shelf', ...documents] };
      if (kind === 'UseCase' && tenant === 'acme' && name === 'match-invoices') changed = { ...document, max_open_sessions: 50 };
      return rest.change?.(changed) ?? changed;
    },
  });
}

export interface Asked {
  readonly verifier: string;
  readonly query: URLSearchParams;
}
export function ask(over: Readonly<Record<string, string | null>> = {}): Asked {
  const verifier = randomBytes(32).toString('base64url');
  const all = {
    response_type: 'code',
    client_id: 'desk',
    redirect_uri: callback,
    state: 'the state of the host',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...over,
  };
  return { verifier, query: new URLSearchParams(Object.entries(all).filter((one): one is [string, string] => one[1] !== null)) };
}

const get = (url: string): Promise<Response> => fetch(url, { redirect: 'manual' });
/** Where the authorization endpoint sends a browser. */
export async function authorize(broker: TestBroker, { query }: Pick<Asked, 'query'>, tenant = 'acme'): Promise<URL> {
  const response = await get(`${broker.url}/t/${tenant}/oauth/authorize?${query}`);
  return new URL(response.headers.get('location') ?? '', broker.url);
}

export const fields = { objective: 'Pay INV-7', 'input.invoice': 'INV-7', decision: 'approve' };

/** What the consent page answers to being pressed, with what stands in it. */
export async function press(visit: Visit, page: URL, given: Readonly<Record<string, string>> = fields) {
  const shown = await visit.get(page.pathname + page.search);
  const hidden = Object.fromEntries(['csrf', 'agent', 'use_case', 'revision'].map((name) => [name, fieldOf(shown.text, name)]));
  return visit.post(page.pathname, { ...hidden, ...given });
}

/** The code a logged-in sponsor's consent gives. */
export async function consent(broker: TestBroker, sponsor: Visit, asked: Asked): Promise<string> {
  const answer = await press(sponsor, await authorize(broker, asked));
  return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & { readonly access_token?: string; readonly refresh_token?: string };
}
export async function token(
  broker: TestBroker,
  form: Readonly<Record<string, string>>,
  tenant = 'acme',
  door = 'token',
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${broker.url}/t/${tenant}/oauth/${door}`, { method: 'POST', body: new URLSearchParams(form), headers });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}
export const redeem = (broker: TestBroker, code: string, { verifier }: Asked, over: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  token(broker, { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier, client_id: 'desk', ...over });
export const refresh = (broker: TestBroker, refreshToken: string, over: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  token(broker, { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'desk', ...over });

export const sessionOf = (answer: Answer): string => (answer.body['authorization_details'] as { session_id: string }[])[0]?.session_id ?? '';

/** Something that listens on this machine. */
export async function listenOn(handler: RequestListener): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
