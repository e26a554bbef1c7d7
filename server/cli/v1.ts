import { z } from 'zod';
import { ask, currentLogin, exits, Failure, type Login, personToken, readJson } from '../connect/index.ts';
import type { Settings } from './settings.ts';

/** `/v1`, spoken as the person logged in on this machine. */
export interface V1 {
  readonly tenant: string;
  get<T>(path: string, shape: z.ZodType<T>, query?: Readonly<Record<string, string | number | undefined>>): Promise<T>;
  post<T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<T>;
  /** A post that answers 422 with `problems` when what was sent does not hold. */
  postOrProblems<T, P>(path: string, body: unknown, shape: z.ZodType<T>, problem: z.ZodType<P>): Promise<{ value: T } | { problems: P[] }>;
  put<T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<T>;
  delete<T>(path: string, shape: z.ZodType<T>): Promise<T>;
  /** Every item of a listing, page after page (`items`, `next`). */
  list<T>(path: string, item: z.ZodType<T>, query?: Readonly<Record<string, string | number | undefined>>): Promise<T[]>;
}

const problem = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  remedy: z.string().optional(),
  /** Of a request whose shape is wrong. */
  problems: z.array(z.looseObject({ path: z.string(), problem: z.string() })).optional(),
});

/** As the last login of the tenant, or as `as` when several people are logged in here. */
export async function openV1(settings: Pick<Settings, 'url' | 'tenant' | 'data'>, as: string | null = null): Promise<V1> {
  const login = await currentLogin(settings.data, settings.tenant, as);
  if (login === null) {
    const tenant = settings.tenant ?? 'acme';
    throw new Failure(`nobody is logged in${settings.tenant === null ? '' : ` for ${settings.tenant}`}`, {
      remedy: `log in with \`npx taskgate login --tenant ${tenant} --as NAME\``,
      exit: exits.refused,
    });
  }
  const token = await personToken(settings.data, login, settings.url);

  const exchange = async (method: string, path: string, body: unknown): Promise<{ response: Response; answer: unknown }> => {
    const response = await ask(`${settings.url}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { response, answer: await readJson(response) };
  };
  const read = <T>(path: string, response: Response, answer: unknown, shape: z.ZodType<T>): T => {
    if (!response.ok) throw refusal(response.status, answer, login, path);
    const parsed = shape.safeParse(answer);
    if (!parsed.success)
      throw new Failure(`${path} answered in a shape this CLI does not know`, {
        remedy: 'the broker and the CLI may be of different versions',
        cause: parsed.error,
      });
    return parsed.data;
  };
  const send = async <T>(method: string, path: string, body: unknown, shape: z.ZodType<T>): Promise<T> => {
    const { response, answer } = await exchange(method, path, body);
    return read(path, response, answer, shape);
  };
  const get: V1['get'] = (path, shape, query = {}) => send('GET', path + search(query), undefined, shape);

  return {
    tenant: login.tenant,
    get,
    post: (path, body, shape) => send('POST', path, body, shape),
    async postOrProblems(path, body, shape, each) {
      const { response, answer } = await exchange('POST', path, body);
      const refused = z.object({ problems: z.array(each) }).safeParse(answer);
      if (!response.ok && refused.success) return { problems: refused.data.problems };
      return { value: read(path, response, answer, shape) };
    },
    put: (path, body, shape) => send('PUT', path, body, shape),
    delete: (path, shape) => send('DELETE', path, undefined, shape),
    async list(path, item, query = {}) {
      const page = z.object({ items: z.array(item), next: z.string().nullish() });
      const all = [];
      let cursor: string | undefined;
      do {
        const { items, next } = await get(path, page, { ...query, cursor });
        all.push(...items);
        cursor = next ?? undefined;
      } while (cursor !== undefined);
      return all;
    },
  };
}

function refusal(status: number, body: unknown, { tenant, name }: Login, path: string): Failure {
  const { detail, title, code, remedy, problems } = problem.safeParse(body).data ?? {};
  if (status === 404) return missing(path, tenant, { code: code ?? 'not_found', cause: body });
  const wrong = (problems ?? []).map((one) => `\n  ${one.path === '' ? '' : `${one.path}: `}${one.problem}`).join('');
  const message = `${detail ?? title ?? `the broker answered HTTP ${status}`}${wrong}`;
  const named = { ...(code === undefined ? {} : { code }), ...(remedy === undefined ? {} : { remedy }) };
  if (status === 401)
    return new Failure(message, { ...named, remedy: `log in again with \`npx taskgate login --tenant ${tenant} --as ${name}\``, exit: exits.refused });
  // The shape is wrong because the command line is.
  if (status === 400) return new Failure(message, { ...(code === undefined ? {} : { code }), exit: exits.usage });
  return new Failure(message, { ...named, exit: status === 403 || status === 409 ? exits.refused : exits.failure });
}

const lists: Readonly<Record<string, string>> = {
  agents: 'agent list',
  sessions: 'session list',
  approvals: 'approval list',
  passkeys: 'passkey list --all',
  credentials: 'credential list',
  changes: 'change list',
};

/** What is not there and what is not yours answer alike; the path says at least what was asked for. The answer itself is the cause. */
function missing(path: string, tenant: string, more: { code: string; cause: unknown }): Failure {
  const [, kind = '', name, part, id] = path.split('/').map(decodeURIComponent);
  const list = lists[kind];
  if (list === undefined || name === undefined) return new Failure(`${tenant} has no such thing`, { ...more, remedy: 'check the name' });
  const what = id === undefined ? `${kind.slice(0, -1)} '${name}'` : `${part?.slice(0, -1)} '${id}' of the ${kind.slice(0, -1)} '${name}'`;
  return new Failure(`${tenant} has no ${what} that you may see`, {
    ...more,
    remedy: `\`npx taskgate ${list}\` shows what there is`,
  });
}

function search(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
