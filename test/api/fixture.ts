import { randomUUID } from 'node:crypto';
import { apiRoutes } from '../../server/api/index.ts';
import { apiUrl, type Person, sessionUrl, signOwn, tenantIssuer } from '../../server/identity/index.ts';
import type { SessionRow } from '../../server/store/store.ts';
import { type Bench, openBench } from '../approvals/fixture.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads answers as JSON came
  readonly json: any;
}

export interface Api extends Bench {
  /** One request as this person; null sends no token. `body`: sent as JSON, a string or bytes as they are. */
  as(person: Person | null, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  tokenOf(person: Person): Promise<string>;
  /** What an agent holds: a task token of this session. */
  taskToken(session: SessionRow, audience?: string): Promise<string>;
  fetch(request: Request): Promise<Response>;
}

export async function openApi(): Promise<Api> {
  const bench = await openBench();
  const { ports } = bench;
  const app = apiRoutes(ports);
  const times = () => ({ iat: Math.floor(bench.now.at / 1000), exp: Math.floor(bench.now.at / 1000) + 600, jti: randomUUID() });
  const tokenOf = (person: Person): Promise<string> =>
    signOwn(ports, {
      ...{ iss: tenantIssuer(ports.config, person.tenant), aud: apiUrl(ports.config), sub: person.id, tenant: person.tenant, client_id: 'taskgate-cli' },
      ...(person.loggedInAt === undefined ? {} : { auth_time: Math.floor(person.loggedInAt / 1000) }),
      ...times(),
    });
  return {
    ...bench,
    tokenOf,
    taskToken: (session, audience = sessionUrl(ports.config, session.id)) =>
      signOwn(ports, {
        ...{ iss: tenantIssuer(ports.config, session.tenant), aud: audience, sub: session.sponsor, tenant: session.tenant },
        ...{ client_id: session.requester, act: { sub: session.requester }, mode: session.mode, agent: session.agent, person: session.sponsor },
        ...{ sid: session.id, task_sha256: session.taskSha256 },
        ...times(),
      }),
    async as(person, method, path, body, headers = {}) {
      const raw = typeof body === 'string' || body instanceof Uint8Array;
      const response = await app.request(`http://localhost:7411/v1${path}`, {
        method,
        headers: {
          host: 'localhost:7411',
          ...(person === null ? {} : { authorization: `Bearer ${await tokenOf(person)}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: text === '' ? null : JSON.parse(text) };
    },
    fetch: async (request) => app.fetch(request),
  };
}
