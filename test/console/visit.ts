import { join } from 'node:path';
import { findDoors } from '../../server/connect/index.ts';
import { linkToConsole } from '../../server/connect/logins.ts';
import type { Doors } from '../support/broker.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What a browser does with the console, without one: keeps cookies, says where its requests come from, follows nothing by itself. */
export interface Visit {
  readonly cookies: Map<string, string>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** As a form of the console's own page posts. */
  post(path: string, fields: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export function visit(url: string): Visit {
  const cookies = new Map<string, string>();
  const ask = async (path: string, init: RequestInit, headers: Readonly<Record<string, string>>): Promise<Answer> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(path, url), { ...init, redirect: 'manual', headers: { ...(cookie === '' ? {} : { cookie }), ...headers } });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=');
      if (/Max-Age=0/.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return {
    cookies,
    get: (path, headers = {}) => ask(path, {}, { 'sec-fetch-site': 'none', ...headers }),
    post: (path, fields, headers = {}) =>
      ask(path, { method: 'POST', body: new URLSearchParams(fields) }, { origin: new URL(url).origin, 'sec-fetch-site': 'same-origin', ...headers }),
  };
}

export const linkFor = async (broker: Doors, name: string, tenant = 'acme'): Promise<string> =>
  (await linkToConsole(await findDoors(broker.url, tenant), join(broker.dir, 'data'), name)).url;

/** Logged in by a one-time link. */
export async function loggedIn(broker: Doors, name: string, tenant = 'acme'): Promise<Visit> {
  const one = visit(broker.url);
  const answer = await one.post(new URL(await linkFor(broker, name, tenant)).pathname, {});
  if (answer.status !== 303) throw new Error(`${name} could not log in: ${answer.status}`);
  return one;
}

/** The value of a hidden field of the first form that has it. */
export const fieldOf = (text: string, name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '';
