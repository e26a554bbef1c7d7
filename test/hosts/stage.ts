import { join } from 'node:path';
import { vi } from 'vitest';
import { hashConnectionToken } from '../../server/identity/index.ts';
import { endSession } from '../../server/sessions/index.ts';
import type { ApprovalRow } from '../../server/store/store.ts';
import { approveByTwo } from '../support/approvals.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { mayListPayments } from '../support/ledger.ts';
import type { Way } from './cells.ts';
import type { Entry, OpenHost, Told } from './clients.ts';

/** A broker whose tasks need no sponsor, and what a model does that reads what it is told. */
export interface Stage {
  readonly broker: TestBroker;
  /** How a host comes in. `session`: the task it will be in, where it is open already. */
  enter(way: Exclude<Way, 'interactive'>): Promise<{ readonly entry: Entry; readonly session: string | null }>;
  /** The approval that waits, in that task if one is named; once there is one. */
  waiting(session: string | null): Promise<ApprovalRow>;
  approve(row: ApprovalRow): Promise<void>;
  close(): Promise<void>;
}

const useCase = {
  ...{ kind: 'UseCase', tenant: 'acme', name: 'pay-alone', workflow: 'invoice-matching', owner: 'dana', purpose: 'Pay what is due', accountable: 'dana' },
  grants: [
    { tools: ['ledger__*'], effect: 'read' },
    { tool: 'ledger__post_payment', arguments: { amount: { maximum: 5000 } }, origins: { iban: ['objective', 'trusted'] } },
  ],
  ...{ ceiling: 'confidential', lifetime: { default: '30m', longest: '4h' }, budget: { calls: 200 }, max_open_sessions: 100 },
  ...{ expires: '2099-12-31', review_by: '2099-12-31' },
};

const launcher = join(import.meta.dirname, '../../server/cli/taskgate.mjs');

export async function startStage(holdMs: number): Promise<Stage> {
  const broker = await startTestBroker({ holdMs, files: { 'acme/pay-alone.yaml': JSON.stringify(useCase) }, change: mayListPayments });
  const seen = new Set<string>();
  return {
    broker,
    async enter(way) {
      if (way === 'machine token') {
        const task = await broker.open({ sponsor: null, use_case: 'pay-alone', inputs: {} });
        return { entry: { url: task.mcpUrl, token: task.accessToken }, session: task.session };
      }
      if (way === 'connect') {
        const words = ['connect', '--tenant', 'acme', '--agent', 'invoice-matcher', '--use-case', 'pay-alone'];
        const env = { PATH: process.env['PATH'] ?? '', TASKGATE_URL: broker.url, TASKGATE_DATA: join(broker.dir, 'data') };
        return { entry: { command: process.execPath, args: [launcher, ...words], env }, session: null };
      }
      const token = `tgc_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`;
      const at = Date.now();
      await broker.ports.store.putAgentToken(
        { hash: hashConnectionToken(token), tenant: 'acme', agent: 'invoice-matcher', createdBy: 'local#dana', expiresAt: at + 600_000, revoked: false },
        { type: 'agent.token_created', tenant: 'acme', at },
      );
      return { entry: { url: `${broker.url}/mcp`, token }, session: null };
    },
    waiting: (session) =>
      vi.waitUntil(
        async () => {
          const filter = { status: 'pending', ...(session === null ? {} : { session }) } as const;
          const rows = await broker.ports.store.listApprovals('acme', filter, { after: null, limit: 20 });
          const fresh = rows.find(({ id }) => !seen.has(id));
          if (fresh) seen.add(fresh.id);
          return fresh;
        },
        { timeout: 20_000, interval: 20 },
      ),
    approve: (row) => approveByTwo(broker, row),
    async close() {
      for (const { id } of await broker.ports.store.listSessions('acme', { status: 'active' }, { after: null, limit: 100 }))
        await endSession(broker.ports, 'acme', id, { status: 'ended', reason: 'over' }, 'test');
      await broker.end();
    },
  };
}

export const pay = 'ledger__post_payment';
export const paymentOf = (amount: number) => ({ invoice: 'INV-7', iban: 'DE02120300000000202051', amount });

/** What the instructions tell a model to do: wait with the handle it was given, and retry the exact call. */
export async function followTold(host: OpenHost, name: string, args: Record<string, unknown>): Promise<{ readonly told: Told; readonly calls: number }> {
  for (let calls = 1; ; calls++) {
    const told = await host.call(name, args);
    const approval = told.isError ? /approval (apr_[A-Za-z0-9_-]+)/.exec(told.text)?.[1] : undefined;
    if (approval === undefined || !/Not executed/.test(told.text)) return { told, calls };
    for (;;) {
      const waited = await host.call('await_approval', { approval });
      if (!/still pending/.test(waited.text)) break;
    }
  }
}
