import { setTimeout as pause } from 'node:timers/promises';
import { type ChangeClients, makeChangeClients } from './change-clients.ts';
import { isBusy, mostTries, openDoors, type Visitors } from './doors.ts';
import { type GlassClients, makeGlassClients } from './glass-clients.ts';
import type { Entry } from './journal.ts';
import { makeStandingClients, type StandingClients } from './standing-clients.ts';
import { type File, payment } from './world.ts';

/** Clients of the brokers under test; whatever they are told goes into their journal. */

export interface Session {
  readonly id: string;
  readonly useCase: string;
  readonly token: string;
}

/** How a call ended, as its client sees it. */
export type Ended =
  | { readonly kind: 'result'; readonly replayed: boolean }
  | { readonly kind: 'refused'; readonly code: string; readonly approval: string | null }
  | { readonly kind: 'turned away'; readonly status: number };

export type ToolName = 'look' | 'note' | 'pay';

export interface Clients extends ChangeClients, GlassClients, StandingClients {
  /** Everybody who decides has a token from here on. */
  logIn(url: string): Promise<void>;
  open(url: string, useCase: string): Promise<Session>;
  renew(url: string, session: Session): Promise<Session>;
  call(url: string, session: Session, tool: ToolName, call: string, wait?: number, again?: Again): Promise<Ended>;
  /** Reads the proposal and votes on it as it was shown; answers the HTTP status. */
  vote(url: string, person: 'bob' | 'carl', approval: string, decision: 'approve' | 'deny'): Promise<number>;
  revoke(url: string, approval: string): Promise<number>;
  end(url: string, session: Session): Promise<void>;
  apply(url: string, generation: number, files: readonly File[]): Promise<void>;
}

/** Sent again, it is the same call when it is a payment that people are asked about; under what was given before it is another. */
export type Again = 'the same call' | 'another call';

export function makeClients({ note, ...visitors }: Visitors & { readonly note: (entry: Entry) => void }): Clients {
  const { send, task, v1 } = openDoors(visitors);
  const { url: issuer } = visitors.issuer;

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
    ...makeChangeClients(v1, note),
    ...makeGlassClients(v1, note),
    ...makeStandingClients(v1, issuer, note),
    async logIn(url) {
      for (const person of ['bob', 'carl', 'dana', 'erin']) await v1(url, person, 'GET', '/me');
    },
    async open(url, useCase) {
      const opened = await task(url, { use_case: useCase });
      note({ what: 'opened', session: opened.id });
      return { ...opened, useCase };
    },
    async renew(url, session) {
      return { ...session, token: (await task(url, { session_id: session.id })).token };
    },
    async call(url, session, tool, call, wait = 0, repeated = 'the same call') {
      for (let attempt = 1; ; attempt++) {
        const ended = await callOnce(url, session, tool, call, wait);
        // Nothing was sent, says the one; the other says nothing, and only a payment can be the same call when it is made again.
        const isSame = tool === 'pay' && repeated === 'the same call';
        const again = ended.kind === 'refused' ? ended.code === 'upstream.unavailable' : ended.kind === 'turned away' && isBusy(ended.status) && isSame;
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
      if (answer.status === 200) note({ what: 'voted', approval, person: `${issuer}#${person}`, decision, status: String(answer.body['status']) });
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
