import { z } from 'zod';
import { textOf } from './hosts.ts';
import type { Cast } from './opening.ts';
import type { Stage } from './stage.ts';
import { expect, expectEqual, type Transcript } from './transcript.ts';

const session = z.looseObject({ id: z.string(), status: z.string() });

/** When a task ends, so does everything it could do. */
export async function playEnding(transcript: Transcript, stage: Stage, { task, modern, stdio }: Cast): Promise<void> {
  transcript.chapter('The end of a task');
  const ana = await stage.as('acme', 'ana');
  const end = (id: string) => ana.post(`/sessions/${id}/end`, { reason: 'the demo is over' }, session);
  await transcript.step('ana ends the session', async () => expectEqual((await end(task.session)).status, 'ended', 'status'));
  await transcript.step('the next call with its token is 401 and says where to ask for another', async () => {
    const headers = { authorization: `Bearer ${task.accessToken}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
    const response = await fetch(task.mcpUrl, { method: 'POST', headers, body, redirect: 'error' });
    expectEqual(response.status, 401, 'HTTP status');
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge.includes('resource_metadata='), 'a challenge with resource_metadata', challenge);
  });
  await transcript.step('SDK v2 cannot call any more either', async () => {
    const failed = await modern.call('mail__search', { query: 'invoice' }).then(
      (answer) => textOf(answer),
      (error: unknown) => error,
    );
    expect(failed instanceof Error, 'an error', failed);
  });
  await transcript.step(
    'the host on mcp.json is told in words that its task has ended',
    async () => {
      for (const one of await ana.list('/sessions', session, { status: 'active', agent: 'invoice-matcher' })) await end(one.id);
      const answer = await stdio.call('mail__search', { query: 'invoice' });
      expect(answer.isError === true && /task has ended/i.test(textOf(answer)), 'isError saying that the task has ended', answer);
      return textOf(answer).split('\n')[0] ?? '';
    },
    (words) => words,
  );
}
