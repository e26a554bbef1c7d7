import { z } from 'zod';
import type { Task } from '../../connect/index.ts';
import { type Host, modernHost, olderHost, stdioHost, textOf } from './hosts.ts';
import type { Stage } from './stage.ts';
import { expect, expectEqual, Surprise, type Transcript } from './transcript.ts';

/** Who is on stage once the sessions are open: three hosts, each with a session of its own. */
export interface Cast {
  readonly task: Task;
  readonly olderTask: Task;
  readonly modern: Host;
  readonly older: Host;
  readonly stdio: Host;
}

const anything = z.looseObject({});

/** What `match-invoices` grants, and Taskgate's own tools, which carry no `__`. */
const granted = ['ledger__post_payment', 'mail__read_contract', 'mail__read_message', 'mail__search'];

/** Agents open sessions, see exactly their tools, read, and are told what was wrong with a call. */
export async function playOpening(transcript: Transcript, stage: Stage): Promise<Cast> {
  transcript.chapter('Task sessions');
  await transcript.step('dana, the admin, sets the key the ledger wants; no agent will see it', async () => {
    const dana = await stage.as('acme', 'dana');
    await dana.put('/credentials/ledger-key', { value: 'demo-ledger-key' }, anything);
  });
  const open = (): Promise<Task> => stage.open('acme', 'invoice-matcher', 'match-invoices', { invoice: 'INV-7' });
  const task = await transcript.step(
    'the agent proves its workload and opens a session that ana of finance sponsors',
    async () => {
      await stage.as('acme', 'ana');
      return open();
    },
    ({ session, mcpUrl }) => `${session} at ${mcpUrl}`,
  );
  const olderTask = await open();
  const modern = await transcript.step('a host on SDK v2 connects over HTTP', () => modernHost(task));
  const older = await transcript.step('a host on SDK v1 connects over HTTP', () => olderHost(olderTask));
  const stdio = await transcript.step('a host loads mcp.json, which starts `taskgate connect` over stdio', () => stdioHost(stage.environment));
  const hosts = [modern, older, stdio];

  transcript.chapter('Its tools');
  for (const host of hosts) {
    await transcript.step(
      `${host.name}: tools/list shows exactly what was granted`,
      async () => expectEqual(await brokered(host), granted, 'brokered tools'),
      () => granted.join(' '),
    );
  }
  for (const host of hosts) {
    await transcript.step(
      `${host.name}: a read is answered`,
      async () => {
        const answer = await host.call('mail__search', { query: 'invoice' });
        expect(answer.isError !== true, 'a result', textOf(answer));
        expect(answer._meta?.['taskgate/decision'] !== undefined, 'the decision and its record beside the result', answer._meta);
        return textOf(answer);
      },
      (text) => text.slice(0, 100),
    );
  }
  await transcript.step(
    'bad arguments are refused with a reason a model can act on',
    async () => {
      const answer = await modern.call('ledger__post_payment', { invoice: 'INV-7', iban: 'DE02120300000000202051', amount: 'six hundred' });
      expect(
        answer.isError === true && /amount/.test(textOf(answer)) && /number/.test(textOf(answer)),
        'isError naming `amount` and that it is a number',
        answer,
      );
      return textOf(answer);
    },
    (text) => text,
  );
  await transcript.step(
    'a tool that was not granted is unknown, exactly like one that does not exist',
    async () => {
      const there = await refusedCall(modern, 'ledger__get_invoice');
      const nowhere = await refusedCall(modern, 'ledger__no_such_tool');
      expect(there.code === -32602, 'JSON-RPC error -32602', there);
      expectEqual(there.message.replaceAll('ledger__get_invoice', '*'), nowhere.message.replaceAll('ledger__no_such_tool', '*'), 'the same words');
      return there.message;
    },
    (words) => words,
  );
  return { task, olderTask, modern, older, stdio };
}

async function brokered(host: Host): Promise<string[]> {
  return (await host.listTools()).filter((name) => name.includes('__')).sort();
}

/** The JSON-RPC error a call ends with. */
export async function refusedCall(host: Host, tool: string): Promise<{ code: number; message: string }> {
  try {
    throw new Surprise('a JSON-RPC error', await host.call(tool, {}));
  } catch (error) {
    if (error instanceof Surprise || !(error instanceof Error)) throw error;
    return { code: 'code' in error ? Number(error.code) : Number.NaN, message: error.message };
  }
}
