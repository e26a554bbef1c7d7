import { z } from 'zod';
import { Failure, type Task } from '../../connect/index.ts';
import type { V1 } from '../v1.ts';
import { modernHost } from './hosts.ts';
import { type Cast, refusedCall } from './opening.ts';
import type { Stage } from './stage.ts';
import { expect, expectEqual, Surprise, type Transcript } from './transcript.ts';

const nothing = z.unknown();

/** For globex, what is acme's answers exactly as what does not exist. */
export async function playIsolation(transcript: Transcript, stage: Stage, { task }: Cast): Promise<void> {
  transcript.chapter('Another tenant');
  const clerk = await transcript.step('globex opens a session of its own', async () => {
    await stage.as('globex', 'greta');
    return stage.open('globex', 'invoice-clerk', 'match-invoices', { invoice: 'INV-7' });
  });
  await transcript.step('acme’s tool is as unknown to it as no tool at all', async () => {
    const host = await modernHost(clerk);
    try {
      const theirs = await refusedCall(host, 'files__read_text_file');
      const nowhere = await refusedCall(host, 'files__read_text_fila');
      expect(theirs.code === -32602, 'JSON-RPC error -32602', theirs);
      expectEqual(theirs.message.replaceAll('files__read_text_file', '*'), nowhere.message.replaceAll('files__read_text_fila', '*'), 'the same words');
    } finally {
      await host.close();
    }
  });
  await transcript.step('acme’s session answers its token like no session at all', async () => {
    const theirs = await knock(task.mcpUrl, clerk);
    const nowhere = await knock(task.mcpUrl.replace(task.session, unlike(task.session)), clerk);
    expectEqual(theirs.status, 401, 'HTTP status');
    expectEqual(theirs.told.replaceAll(task.session, '*'), nowhere.told.replaceAll(unlike(task.session), '*'), 'the same answer');
  });
  await transcript.step('acme’s session and approvals are not there for its admin and its reviewers', async () => {
    const acme = await stage.as('acme', 'bob');
    const waiting = await acme.list('/approvals', z.looseObject({ id: z.string() }));
    const [one] = waiting;
    if (one === undefined) throw new Surprise('an approval that waits in acme', waiting);
    const [jan, hugo] = await Promise.all([stage.as('globex', 'jan'), stage.as('globex', 'hugo')]);
    await sameAsNothing(jan, 'sessions', task.session);
    await sameAsNothing(hugo, 'approvals', one.id);
  });
  await stage.as('acme', 'ana');
}

async function sameAsNothing(person: V1, kind: string, id: string): Promise<void> {
  const theirs = await refusal(person, `/${kind}/${id}`);
  expectEqual(theirs.code, 'not_found', `code of ${kind}`);
  expectEqual(theirs, await refusal(person, `/${kind}/${unlike(id)}`), 'the same answer');
}

/** The broker's answer, whole; the words of this CLI name what was asked for. */
async function refusal(person: V1, path: string): Promise<{ code: string | null; told: unknown }> {
  try {
    throw new Surprise(`nothing at ${path}`, await person.get(path, nothing));
  } catch (error) {
    if (error instanceof Failure) return { code: error.code?.replace(/^[a-z]+\./, '') ?? null, told: error.cause };
    throw error;
  }
}

/** What stands at a session's door for a token: status and everything said, but for what differs anyway. */
async function knock(url: string, { accessToken }: Task): Promise<{ status: number; told: string }> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error' });
  return { status: response.status, told: `${response.headers.get('www-authenticate') ?? ''}\n${await response.text()}` };
}

/** The same id but for its last characters: of the same form, and nobody's. */
const unlike = (id: string): string => `${id.slice(0, -4)}${id.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
