import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { importJWK, type JWK, SignJWT } from 'jose';

/**
 * A machine host from start to end, with nothing but `fetch` and `jose`: proves the agent and its sponsor, opens a task
 * session, lists its tools, ends it, and checks each step. Run it where the broker's ./data lies:
 *
 *   node docs/examples/open-session.ts
 *
 * TASKGATE_URL, TASKGATE_DATA: another broker. TASKGATE_SVID_FILE, TASKGATE_SPONSOR_TOKEN: credentials from elsewhere
 * in place of the local provider's.
 */
const {
  TASKGATE_URL: url = 'http://localhost:7411',
  TASKGATE_DATA: data = './data',
  TASKGATE_SVID_FILE: svidFile,
  TASKGATE_SPONSOR_TOKEN: idTokenFile,
} = process.env;
const [tenant, agent, sponsor] = ['acme', 'invoice-matcher', 'ana'];

// 1. Where the doors are (RFC 8414).
const doors = await getJson(`${url}/.well-known/oauth-authorization-server/t/${tenant}`);
const issuer = String(doors['issuer']);

// 2. Who acts: the workload's JWT, for the tenant's issuer alone. Who answers for it: the sponsor's ID token, naming the agent.
const workload = svidFile === undefined ? await askLocal('svid', `agents/${agent}`, agent, {}) : (await readFile(svidFile, 'utf8')).trim();
const idToken =
  idTokenFile === undefined ? await askLocal('id-token', 'people', sponsor, { as: sponsor, agent }) : (await readFile(idTokenFile, 'utf8')).trim();

// 3. The session, by token exchange (RFC 8693). What is asked for is a request; the answer says what was granted.
const opened = await postForm(String(doors['token_endpoint']), {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  actor_token: workload,
  actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  subject_token: idToken,
  subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
  authorization_details: JSON.stringify([
    { type: 'taskgate-task', use_case: 'match-invoices', objective: 'Match INV-7', inputs: { invoice: 'INV-7' }, tools: ['mail__search'], lifetime: 300 },
  ]),
});
const task = opened as { access_token: string; expires_in: number; authorization_details: [{ session_id: string; mcp_url: string; tools: string[] }] };
const [granted] = task.authorization_details;
say(`opened ${granted.session_id}; the token lasts ${task.expires_in} s`);
check('only the tool that was asked for is granted', granted.tools.join() === 'mail__search');

// 4. Its tools, by one MCP request. Results tell nothing of other sessions, tools or tenants.
const listed = await listTools();
const { result } = (await listed.json()) as { result: { tools: { name: string }[] } };
say(`tools: ${result.tools.map(({ name }) => name).join(', ')}`);
check(
  'of an upstream the list holds what was granted, and nothing else',
  result.tools
    .map(({ name }) => name)
    .filter((name) => name.includes('__'))
    .join() === 'mail__search',
);

// 5. The end (RFC 7009): from here on the token opens nothing.
await postForm(String(doors['revocation_endpoint']), { token: task.access_token });
check('after the end the next call is refused', (await listTools()).status === 401);

function listTools(): Promise<Response> {
  return fetch(granted.mcp_url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${task.access_token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });
}

/** A short credential of the `local` provider for whoever proves a private key: at most 60 s old, `jti` used once. */
async function askLocal(door: 'svid' | 'id-token', keyFile: string, subject: string, more: Record<string, string>): Promise<string> {
  const key = JSON.parse(await readFile(`${data}/local/${tenant}/${keyFile}.json`, 'utf8')) as JWK;
  const assertion = await new SignJWT({ iss: subject, sub: subject, aud: `${issuer}/local`, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(await importJWK(key, 'ES256'));
  const answer = await getJson(`${issuer}/local/${door}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ assertion, ...more }),
  });
  return String(answer[door === 'svid' ? 'svid' : 'id_token']);
}

function postForm(endpoint: string, form: Record<string, string>): Promise<Record<string, unknown>> {
  return getJson(endpoint, { method: 'POST', body: new URLSearchParams(form) });
}

async function getJson(from: string, init?: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(from, { redirect: 'error', ...init });
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${from} answered ${response.status}: ${String(body['error_description'] ?? body['error'])}`);
  return body;
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${what}`);
  say(`checked: ${what}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
