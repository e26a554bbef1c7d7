import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { createMcpHandler, inputRequired, type McpRequestContext, ProtocolError, Server } from '@modelcontextprotocol/server';
import { Hono } from 'hono';
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, exportJWK, generateKeyPair, type JWK, jwtVerify } from 'jose';

/** A broker's doors without a broker: real HTTP and real MCP on a free port, every answer steered by the test. */
export interface StandIn {
  readonly url: string;
  /** A data folder with the keys of `invoice-matcher` and of the people of acme. */
  readonly data: string;
  /** Every form the token endpoint got. */
  readonly asked: Record<string, string>[];
  /** Every proof that came with a request, verified, with the thumbprint of its key. */
  readonly proofs: { readonly htm: unknown; readonly htu: unknown; readonly ath: unknown; readonly jti: unknown; readonly jkt: string }[];
  /** Tokens given back. */
  readonly revoked: string[];
  /** Claims of the assertions the local provider got. */
  readonly assertions: Record<string, unknown>[];
  /** Calls that arrived, of what was read by its address, with the era they came in. */
  readonly calls: { readonly era: string; readonly name: string; readonly meta: unknown; readonly state: unknown }[];
  /** Seconds of the next tokens. */
  tokenLife: number;
  /** Null opens and renews; words refuse. */
  refuseOpening: string | null;
  refuseRenewal: string | null;
  /** Gives a bearer whatever is proven, as a broker would that knows no proofs. */
  bearers: boolean;
  /** No token given so far is taken any more. */
  forgetTokens(): void;
  /** The session has tools alone. */
  toolsOnly: boolean;
  /** Rounds a waiting call is sent through before it is answered. */
  rounds: number;
  close(): Promise<void>;
}

export const session = 'ses_acme_AAAAAAAAAAAAAAAAAAAAAA';

export async function standIn(): Promise<StandIn> {
  const data = await mkdtemp(join(tmpdir(), 'taskgate-connect-'));
  await mkdir(join(data, 'local', 'acme', 'agents'), { recursive: true });
  for (const file of ['people', 'agents/invoice-matcher']) {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    await writeFile(join(data, 'local', 'acme', `${file}.json`), JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'ES256', kid: file }));
  }

  let live = new Set<string>();
  let count = 0;
  const app = new Hono();
  const state: Omit<StandIn, 'url'> = {
    data,
    asked: [],
    proofs: [],
    revoked: [],
    assertions: [],
    calls: [],
    tokenLife: 900,
    refuseOpening: null,
    refuseRenewal: null,
    toolsOnly: false,
    bearers: false,
    rounds: 0,
    forgetTokens: () => {
      live = new Set();
    },
    close: async () => {
      await new Promise((closed) => {
        server.close(closed);
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      await rm(data, { recursive: true, force: true });
    },
  };

  app.get('/.well-known/oauth-authorization-server/t/acme', (c) =>
    c.json({ issuer: `${url()}/t/acme`, token_endpoint: `${url()}/t/acme/oauth/token`, revocation_endpoint: `${url()}/t/acme/oauth/revoke` }),
  );
  app.post('/t/acme/local/:what', async (c) => {
    const body: { assertion: string } = await c.req.json();
    state.assertions.push({ ...decodeJwt(body.assertion), body });
    return c.json(c.req.param('what') === 'svid' ? { svid: 'svid.of.agent' } : { id_token: 'id.of.person' });
  });
  const prove = async (request: Request): Promise<boolean> => {
    const proof = request.headers.get('dpop');
    if (proof === null) return false;
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' });
    const { htm, htu, ath, jti } = payload;
    state.proofs.push({ htm, htu, ath, jti, jkt: await calculateJwkThumbprint(protectedHeader.jwk as JWK) });
    return true;
  };
  app.post('/t/acme/oauth/token', async (c) => {
    const proven = await prove(c.req.raw);
    const form = Object.fromEntries(new URLSearchParams(await c.req.text()));
    state.asked.push(form);
    const details: { session_id?: string }[] = JSON.parse(form['authorization_details'] ?? '[{}]');
    const refusal = details[0]?.session_id === undefined ? state.refuseOpening : state.refuseRenewal;
    if (refusal !== null) return c.json({ error: 'access_denied', error_description: refusal }, 400);
    const token = `token-${++count}`;
    live.add(token);
    const now = Math.floor(Date.now() / 1000);
    const granted = { type: 'taskgate-task', session_id: session, mcp_url: `${url()}/sessions/${session}/mcp`, expires_at: now + 3600, sha256: 'x' };
    return c.json({
      access_token: token,
      token_type: proven && !state.bearers ? 'DPoP' : 'Bearer',
      expires_in: state.tokenLife,
      authorization_details: [granted],
    });
  });
  app.post('/t/acme/oauth/revoke', async (c) => {
    state.revoked.push(new URLSearchParams(await c.req.text()).get('token') ?? '');
    return c.body(null, 200);
  });
  const handler = createMcpHandler((context) => serve(context, state));
  app.all(`/sessions/${session}/mcp`, async (c) => {
    const token = /^DPoP (.+)$/.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
    if (!(await prove(c.req.raw)) || !live.has(token)) {
      return c.json({ error: 'invalid_token' }, 401, { 'www-authenticate': 'Bearer error="invalid_token", error_description="its sponsor ended it"' });
    }
    return handler.fetch(c.req.raw);
  });

  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, { url: url() });
}

function serve({ era }: McpRequestContext, state: Omit<StandIn, 'url'>): Server {
  const readable = state.toolsOnly ? {} : { resources: { listChanged: true }, prompts: { listChanged: true } };
  const server = new Server({ name: 'stand-in', version: '1' }, { capabilities: { tools: {}, ...readable }, inputRequired: { legacyShim: false } });
  if (!state.toolsOnly) serveReadable(server, era, state);
  server.setRequestHandler('tools/list', async () => ({
    tools: ['echo', 'fails', 'waits'].map((name) => ({ name: `mail__${name}`, inputSchema: { type: 'object' as const, additionalProperties: true } })),
  }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const requestState = context.mcpReq.requestState<string>();
    state.calls.push({ era, name: params.name, meta: context.mcpReq._meta, state: requestState });
    if (params.name === 'mail__echo') {
      return {
        content: [{ type: 'text', text: 'as sent' }],
        structuredContent: { got: params.arguments },
        _meta: { 'taskgate/decision': { id: 'dec_1', record: 7 } },
      };
    }
    if (params.name === 'mail__fails')
      return { content: [{ type: 'text', text: 'no' }], isError: true, _meta: { 'taskgate/decision': { id: 'dec_2', record: 8 } } };
    if (params.name !== 'mail__waits') throw new ProtocolError(-32602, `Unknown tool: ${params.name}`);
    if (era === 'legacy') {
      return {
        content: [{ type: 'text', text: 'not executed' }],
        isError: true,
        _meta: { 'taskgate/approval': { id: 'apr_1', status: 'pending', retry_after: 5, expires_at: 1 } },
      };
    }
    const round = Number(requestState ?? 0);
    if (round < state.rounds) return inputRequired({ requestState: String(round + 1) });
    return { content: [{ type: 'text', text: `after ${round} rounds` }] };
  });
  return server;
}

const decision = { 'taskgate/decision': { id: 'dec_3', record: 9 } };

function serveReadable(server: Server, era: McpRequestContext['era'], state: Omit<StandIn, 'url'>): void {
  const uri = 'docs://handbook';
  server.setRequestHandler('resources/list', async () => ({ resources: [{ uri, name: 'docs__handbook' }] }));
  server.setRequestHandler('resources/templates/list', async () => ({ resourceTemplates: [{ uriTemplate: 'docs://page/{n}', name: 'docs__page' }] }));
  server.setRequestHandler('prompts/list', async () => ({ prompts: [{ name: 'docs__ask', arguments: [{ name: 'what', required: true }] }] }));
  server.setRequestHandler('resources/read', async ({ params }, { mcpReq }) => {
    state.calls.push({ era, name: params.uri, meta: mcpReq._meta, state: mcpReq.requestState<string>() });
    if (params.uri !== uri) throw new ProtocolError(-32602, 'Resource not found', { uri: params.uri });
    return { contents: [{ uri, text: 'as it stands' }], _meta: decision };
  });
  server.setRequestHandler('prompts/get', async ({ params }, { mcpReq }) => {
    const requestState = mcpReq.requestState<string>();
    state.calls.push({ era, name: params.name, meta: mcpReq._meta, state: requestState });
    const round = Number(requestState ?? 0);
    if (era === 'legacy' && state.rounds > 0)
      throw new ProtocolError(403, 'not executed', { 'taskgate/approval': { id: 'apr_1', status: 'pending', retry_after: 5, expires_at: 1 } });
    if (round < state.rounds) return inputRequired({ requestState: String(round + 1) });
    const text = `${params.arguments?.['what']} after ${round} rounds`;
    return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }], _meta: decision };
  });
}
