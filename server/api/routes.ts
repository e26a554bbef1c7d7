import { Hono } from 'hono';
import { standingOf } from '../approvals/index.ts';
import { isRefusal, type Refusal } from '../call/refusals.ts';
import { authenticatePerson, checkNames } from '../identity/index.ts';
import { heldFor } from '../limits/index.ts';
import type { Ports } from '../ports.ts';
import { StoreUnavailable } from '../store/store.ts';
import { agentTokenEndpoints } from './agent-tokens.ts';
import { agentEndpoints } from './agents.ts';
import { approvalBatchEndpoints } from './approval-batches.ts';
import { approvalEndpoints } from './approvals.ts';
import { auditEndpoints } from './audit.ts';
import { breakGlassEndpoints } from './break-glass.ts';
import { catalogueEndpoints } from './catalogue.ts';
import { changeEndpoints } from './changes.ts';
import { credentialEndpoints } from './credentials.ts';
import { delegationEndpoints } from './delegations.ts';
import { documentEndpoints } from './documents.ts';
import type { Access, Asker, Endpoint, Input } from './endpoint.ts';
import { exceptionEndpoints } from './exceptions.ts';
import { extensionEndpoints } from './extensions.ts';
import { meEndpoints } from './me.ts';
import { notificationEndpoints } from './notifications.ts';
import { openApi } from './openapi.ts';
import { passkeyEndpoints } from './passkeys.ts';
import { policyEndpoints } from './policies.ts';
import { isProblem, notFound, type Problem, problem, problemResponse } from './problem.ts';
import { readBody } from './read-body.ts';
import { sessionEndpoints } from './sessions.ts';
import { standingEndpoints } from './standing-approvals.ts';
import { toolEndpoints } from './tools.ts';

export const endpoints: readonly Endpoint[] = [
  ...meEndpoints,
  ...approvalEndpoints,
  ...approvalBatchEndpoints,
  ...delegationEndpoints,
  ...passkeyEndpoints,
  ...standingEndpoints,
  ...exceptionEndpoints,
  ...sessionEndpoints,
  ...extensionEndpoints,
  ...agentEndpoints,
  ...agentTokenEndpoints,
  ...catalogueEndpoints,
  ...toolEndpoints,
  ...documentEndpoints,
  ...policyEndpoints,
  ...changeEndpoints,
  ...credentialEndpoints,
  ...notificationEndpoints,
  ...breakGlassEndpoints,
  ...auditEndpoints,
];

const wrongName = {
  host: problem(403, 'host.refused', 'This Host is not served here.', 'Use the public URL of this broker.'),
  origin: problem(403, 'origin.refused', 'This Origin is not allowed.', 'Add it to `allowed_origins` if it is yours.'),
} as const;

/** `/v1`: the door of people. The tenant is the token's, roles and groups are read at each request, and every answer that is no success is a problem (RFC 9457). */
export function apiRoutes(ports: Ports): Hono {
  const api = new Hono();
  let description: string | undefined;

  api.use('/v1/*', async (context, next) => {
    const misnamed = checkNames(ports.config, context.req.raw.headers);
    if (misnamed) return problemResponse(wrongName[misnamed]);
    await next();
    return undefined;
  });
  api.get('/v1/openapi.json', () => {
    description ??= JSON.stringify(openApi(endpoints, ports.config.public_url));
    return new Response(description, { headers: { 'content-type': 'application/json' } });
  });
  for (const one of endpoints) {
    api.on(one.method.toUpperCase(), `/v1${one.path.replace(/\{(\w+)\}/g, ':$1')}`, async (context) => {
      const param = (name: string): string => context.req.param(name) ?? '';
      return serve(ports, one, context.req.raw, param);
    });
  }
  api.all('/v1/*', () => problemResponse(notFound()));
  api.onError((error) => {
    if (error instanceof StoreUnavailable) {
      return problemResponse(problem(503, 'unavailable', 'Taskgate cannot answer now.', 'Try again shortly.'), { 'retry-after': '2' });
    }
    ports.log.error({ err: error }, 'a request of /v1 failed');
    return problemResponse(problem(500, 'internal', 'Taskgate failed to answer; nothing more is known here.', 'Try again; the log of the broker says more.'));
  });
  return api;
}

async function serve(ports: Ports, one: Endpoint, request: Request, param: (name: string) => string): Promise<Response> {
  const asker = await admit(ports, request.headers.get('authorization'));
  if (isRefusal(asker)) {
    if (asker.refused !== 'token.missing') await ports.access.stranger('v1', asker.refused, asker.detail);
    return unauthenticated(asker);
  }
  const { tenant, id } = asker.person;
  const tooMuch = ports.limits.countPerson(tenant, id);
  if (tooMuch) {
    await ports.access.known({ tenant, actor: id, door: 'v1', code: tooMuch.refused });
    return problemResponse(problem(429, tooMuch.refused, tooMuch.message, 'Send fewer requests a second.'), { 'retry-after': String(tooMuch.retryAfter ?? 1) });
  }
  const answer = mayUse(one.access, asker) ? await answerTo(ports, one, asker, request, param) : roleMissing(one.access);
  if (!isProblem(answer)) {
    return new Response(JSON.stringify(answer), { status: one.status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } });
  }
  if (answer.status === 403) {
    const about = one.path.startsWith('/approvals/') ? { approval: param('id') } : {};
    await ports.access.known({ tenant, actor: id, door: 'v1', code: answer.code, detail: `${one.method} ${one.path}`, ...about });
  }
  return problemResponse(answer);
}

/** Who asks and how they stand in their tenant now. */
async function admit(ports: Ports, authorization: string | null): Promise<Asker | Refusal> {
  const person = await authenticatePerson(ports, authorization);
  if (isRefusal(person)) return person;
  const snapshot = await ports.tenants.current(person.tenant);
  if (!snapshot) return { refused: 'token.invalid', message: 'This token is not valid here.', detail: 'its tenant is gone' };
  return { person, snapshot, standing: standingOf(snapshot, person) };
}

/** A wrong token and a token for another door get one answer; RFC 6750 §3. */
function unauthenticated({ refused, message }: Refusal): Response {
  if (refused === 'unavailable') return problemResponse(problem(503, 'unavailable', message, 'Try again shortly.'), { 'retry-after': '2' });
  const challenge = refused === 'token.missing' ? 'Bearer realm="taskgate"' : 'Bearer realm="taskgate", error="invalid_token"';
  return problemResponse(problem(401, refused, message, 'Log in again: `taskgate login`.'), { 'www-authenticate': challenge });
}

function mayUse(access: Access, { standing }: Asker): boolean {
  if (access === 'anyone') return true;
  return access === 'named' ? standing.name !== null : access.some((role) => standing.roles.has(role));
}

const roleMissing = (access: Access): Problem =>
  typeof access === 'string'
    ? problem(403, 'person.not_named', 'The tenant document does not name you.', 'Ask an admin of the tenant to add you.')
    : problem(403, 'role.missing', `This is for people with the role ${access.join(' or ')}.`, 'Ask an admin of the tenant.');

async function answerTo(ports: Ports, one: Endpoint, asker: Asker, request: Request, param: (name: string) => string): Promise<object> {
  const asked = new URL(request.url).searchParams;
  const query = one.query.safeParse(Object.fromEntries(asked));
  if (!query.success || asked.size !== new Set(asked.keys()).size) return invalid('query.invalid', query.error?.issues ?? []);
  const key = request.headers.get('idempotency-key');
  if (key !== null && (key.length === 0 || key.length > 200))
    return problem(400, 'idempotency.invalid', 'An Idempotency-Key has 1 to 200 characters.', 'Send a UUID.');
  let body: unknown;
  if (one.body !== null) {
    // Not the share of its agents: one that floods does not keep people from stopping it.
    const read = await readBody(request, heldFor(ports.limits, `${asker.person.tenant}/people`));
    if (isProblem(read)) return read;
    const parsed = one.body.safeParse(read.value);
    if (!parsed.success) return invalid('body.invalid', parsed.error.issues);
    body = parsed.data;
  }
  const input: Input<unknown, unknown> = { param, query: query.data, body, idempotencyKey: key };
  return one.run(ports, asker, input);
}

/** Where and what is wrong; never the value. */
function invalid(code: string, issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): Problem {
  const problems = issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String).join('.'), problem: message }));
  return problem(400, code, 'The request does not have the shape it must have.', 'See /v1/openapi.json.', { problems });
}
