import { setTimeout as pause } from 'node:timers/promises';
import type { JWK } from 'jose';
import { type PrivateJwk, signAssertion } from '../../server/connect/local.ts';
import type { Issuer } from './issuer.ts';
import type { Entry } from './journal.ts';
import { type File, payment } from './world.ts';

/** Clients of the brokers under test, by raw HTTP; whatever they are told goes into their journal. */

/** No answer came: the broker is gone, or went while it was asked. */
export class Lost extends Error {
  override readonly name = 'Lost';
}

/** A 503 or a 429: the store kept the broker waiting too long, or too much was asked; nothing was said about the matter. */
class Busy extends Error {
  override readonly name = 'Busy';
}

export const isBusy = (status: number): boolean => status === 503 || status === 429;

export interface Session {
  readonly id: string;
  readonly useCase: string;
  readonly token: string;
}

export interface Parties {
  readonly publicUrl: string;
  readonly issuer: Issuer;
  readonly agentKey: JWK;
  readonly note: (entry: Entry) => void;
}

/** How a call ended, as its client sees it. */
export type Ended =
  | { readonly kind: 'result'; readonly replayed: boolean }
  | { readonly kind: 'refused'; readonly code: string; readonly approval: string | null }
  | { readonly kind: 'turned away'; readonly status: number };

export type ToolName = 'look' | 'note' | 'pay';

export interface Clients {
  /** Everybody who decides has a token from here on. */
  logIn(url: string): Promise<void>;
  open(url: string, useCase: string): Promise<Session>;
  renew(url: string, session: Session): Promise<Session>;
  call(url: string, session: Session, tool: ToolName, call: string, wait?: number): Promise<Ended>;
  /** Reads the proposal and votes on it as it was shown; answers the HTTP status. */
  vote(url: string, person: 'bob' | 'carl', approval: string, decision: 'approve' | 'deny'): Promise<number>;
  revoke(url: string, approval: string): Promise<number>;
  end(url: string, session: Session): Promise<void>;
  apply(url: string, generation: number, files: readonly File[]): Promise<void>;
}

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** For what hangs, not for what is slow. */
const patience = 60_000;
const mostTries = 40;

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

export function makeClients({ publicUrl, issuer, agentKey, note }: Parties): Clients {
  const people = new Map<string, string>();

  async function send(url: string, path: string, init: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> {
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
  const task = (url: string, details: object): Promise<{ id: string; token: string }> => patiently(() => taskOnce(url, details));
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
  /** All that people do here can be said again. */
  const v1: typeof v1Once = (...asked) => patiently(() => v1Once(...asked));
  async function v1Once(url: string, person: string, method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
    let bearer = people.get(person);
    if (bearer === undefined) {
      const form = { grant_type: exchange, subject_token: await issuer.idToken(person), subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' };
      bearer = String((await token(url, { ...form, resource: `${publicUrl}/v1` }))['access_token']);
      people.set(person, bearer);
    }
    const headers = { authorization: `Bearer ${bearer}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const answer = await send(url, `/v1${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    if (isBusy(answer.status)) throw new Busy(path);
    return answer;
  }

  async function callOnce(url: string, session: Session, tool: ToolName, call: string, wait: number): Promise<Ended> {
    const about = { session: session.id, tool, call };
    const args = { call, wait, ...(tool === 'pay' ? { amount: payment } : {}) };
    const answer = await send(url, `/sessions/${session.id}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${session.token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-06-18',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: `books__${tool}`, arguments: args } }),
    }).catch((error: unknown) => {
      note({ what: 'lost', ...about });
      throw error;
    });
    const result = answer.body['result'] as { structuredContent?: { dispatch: string }; _meta?: Record<string, unknown> } | undefined;
    if (!result) {
      note({ what: 'turned away', ...about, status: answer.status });
      return { kind: 'turned away', status: answer.status };
    }
    const meta = result._meta ?? {};
    const { id: decision, record } = meta['taskgate/decision'] as { id: string; record: number };
    const refusal = meta['taskgate/refusal'] as { code: string } | undefined;
    if (refusal) {
      const approval = (meta['taskgate/approval'] as { id: string } | undefined)?.id ?? null;
      note({ what: 'refused', ...about, decision, record, code: refusal.code, approval });
      return { kind: 'refused', code: refusal.code, approval };
    }
    const replayed = meta['taskgate/replayed'] === true;
    note({ what: 'result', ...about, decision, record, replayed, dispatch: result.structuredContent?.dispatch ?? '' });
    return { kind: 'result', replayed };
  }

  return {
    async logIn(url) {
      for (const person of ['bob', 'carl', 'dana']) await v1(url, person, 'GET', '/me');
    },
    async open(url, useCase) {
      const opened = await task(url, { use_case: useCase });
      note({ what: 'opened', session: opened.id });
      return { ...opened, useCase };
    },
    async renew(url, session) {
      return { ...session, token: (await task(url, { session_id: session.id })).token };
    },
    async call(url, session, tool, call, wait = 0) {
      for (let attempt = 1; ; attempt++) {
        const ended = await callOnce(url, session, tool, call, wait);
        // Nothing was sent, says the one; the other says nothing, and only a payment is the same call when it is made again.
        const again = ended.kind === 'refused' ? ended.code === 'upstream.unavailable' : ended.kind === 'turned away' && isBusy(ended.status) && tool === 'pay';
        if (!again || attempt === mostTries) return ended;
        await pause(500);
      }
    },
    async vote(url, person, approval, decision) {
      const shown = await v1(url, person, 'GET', `/approvals/${approval}`);
      if (shown.status !== 200) return shown.status;
      const digest = String(shown.body['digest']);
      note({ what: 'shown', approval, digest });
      const answer = await v1(url, person, 'POST', `/approvals/${approval}/decisions`, {
        decision,
        digest,
        reason: decision === 'deny' ? 'not now' : 'as ordered',
      });
      if (answer.status === 200) note({ what: 'voted', approval, person: `${issuer.url}#${person}`, decision, status: String(answer.body['status']) });
      return answer.status;
    },
    async revoke(url, approval) {
      const { status } = await v1(url, 'bob', 'POST', `/approvals/${approval}/revoke`, {});
      if (status === 200) note({ what: 'revoked', approval });
      return status;
    },
    async end(url, session) {
      const { status, body } = await v1(url, 'dana', 'POST', `/sessions/${session.id}/end`, { reason: 'done' });
      if (status !== 200) throw new Error(`a session could not be ended: ${status} ${JSON.stringify(body)}`);
      note({ what: 'ended', session: session.id });
    },
    async apply(url, generation, files) {
      note({ what: 'applying', generation });
      const { status, body } = await v1(url, 'dana', 'POST', '/documents/apply', { files }).catch((error: unknown) => {
        note({ what: 'apply lost', generation });
        throw error;
      });
      if (status !== 200) throw new Error(`the documents were refused: ${status} ${JSON.stringify(body).slice(0, 2_000)}`);
      note({ what: 'applied', generation });
    },
  };
}
