import { setTimeout as pause } from 'node:timers/promises';
import type { JWK } from 'jose';
import { type PrivateJwk, signAssertion } from '../../server/connect/local.ts';
import type { Issuer } from './issuer.ts';

/** The doors of a broker under test, by raw HTTP, as agents and people come to them. */

/** No answer came: the broker is gone, or went while it was asked. */
export class Lost extends Error {
  override readonly name = 'Lost';
}

/** A 503 or a 429: the store kept the broker waiting too long, or too much was asked; nothing was said about the matter. */
class Busy extends Error {
  override readonly name = 'Busy';
}

export const isBusy = (status: number): boolean => status === 503 || status === 429;

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}
export interface Doors {
  send(url: string, path: string, init: RequestInit): Promise<Answer>;
  /** A task's token, for a new task or one that is open. */
  task(url: string, details: object): Promise<{ id: string; token: string }>;
  /** What a person says at `/v1`, for things that can be said again. */
  v1(url: string, person: string, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer>;
}

export interface Visitors {
  readonly publicUrl: string;
  readonly issuer: Issuer;
  readonly agentKey: JWK;
}

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** For what hangs, not for what is slow. */
const patience = 60_000;
export const mostTries = 40;
/** People log in again before their login is too old for what asks for a fresh one. */
const freshMs = 4 * 60_000;

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Busy) || attempt === mostTries) throw error;
      await pause(500);
    }
  }
}

export function openDoors({ publicUrl, issuer, agentKey }: Visitors): Doors {
  const people = new Map<string, { readonly bearer: string; readonly at: number }>();

  async function send(url: string, path: string, init: RequestInit): Promise<Answer> {
    try {
      const response = await fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(patience) });
      const text = await response.text();
      return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') throw new Error(`${path}: no answer within ${patience} ms, and the broker was there`);
      throw new Lost(path, { cause: error });
    }
  }
  async function token(url: string, form: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
    const { status, body } = await send(url, '/t/acme/oauth/token', { method: 'POST', body: new URLSearchParams(form) });
    if (isBusy(status)) throw new Busy('the token endpoint');
    if (status !== 200) throw new Error(`the token request was refused: ${status} ${JSON.stringify(body)}`);
    return body;
  }
  async function taskOnce(url: string, details: object): Promise<{ id: string; token: string }> {
    const assertion = await signAssertion(agentKey as PrivateJwk, { iss: 'worker', sub: 'worker', aud: `${publicUrl}/t/acme` });
    const body = await token(url, {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      authorization_details: JSON.stringify([{ type: 'taskgate-task', ...details }]),
    });
    const [granted] = body['authorization_details'] as { session_id: string }[];
    return { id: granted?.session_id ?? '', token: String(body['access_token']) };
  }
  async function loggedIn(url: string, person: string): Promise<string> {
    const before = people.get(person);
    if (before !== undefined && Date.now() < before.at + freshMs) return before.bearer;
    const form = { grant_type: exchange, subject_token: await issuer.idToken(person), subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' };
    const bearer = String((await token(url, { ...form, resource: `${publicUrl}/v1` }))['access_token']);
    people.set(person, { bearer, at: Date.now() });
    return bearer;
  }
  async function v1Once(url: string, person: string, method: string, path: string, body?: object): Promise<Answer> {
    const headers = { authorization: `Bearer ${await loggedIn(url, person)}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const answer = await send(url, `/v1${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    if (isBusy(answer.status)) throw new Busy(path);
    return answer;
  }

  return {
    send,
    task: (url, details) => patiently(() => taskOnce(url, details)),
    v1: (...asked) => patiently(() => v1Once(...asked)),
  };
}
