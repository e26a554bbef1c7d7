import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../server/connect/session.ts';
import { modernMeta, post } from '../mcp/fixture.ts';
import { describeOnPostgres } from '../store/postgres-bench.ts';
import { newFolder } from '../support/broker.ts';
import { type Holder, headersOf, newHolder } from '../support/proofs.ts';
import { type Replicas, startReplicas } from '../support/replicas.ts';

const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: modernMeta } });

function describeProofs(what: string, storeIn: (dir: string) => string): void {
  describe(`a proof shown at two brokers on ${what}`, () => {
    let dir: string;
    let all: Replicas;
    let holder: Holder;
    let task: Task;
    beforeAll(async () => {
      dir = await newFolder();
      all = await startReplicas(2, dir, storeIn(dir), {}, 300);
      holder = await newHolder();
      task = await all.open(holder);
    });
    afterAll(async () => {
      await all?.close();
      await rm(dir, { recursive: true, force: true });
    });
    const at = (broker: number, headers: Record<string, string>): Promise<Response> => {
      all.balancer.next = broker;
      return post(task.mcpUrl, message, { ...modern, ...headers });
    };
    const proven = () => headersOf(holder, task, task.mcpUrl);

    it('is good at either, by the address all of them are known by', async () => {
      for (const broker of [0, 1]) expect((await at(broker, await proven())).status).toBe(200);
    });

    it('is refused by the one when the other has seen it', async () => {
      for (const [first, second] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const headers = await proven();
        expect((await at(first, headers)).status).toBe(200);
        const replayed = await at(second, headers);
        expect([replayed.status, ((await replayed.json()) as { error: { data: unknown } }).error.data]).toEqual([401, { code: 'token.unproven' }]);
      }
    });

    it('is taken once when both see it at the same moment', async () => {
      for (let round = 0; round < 10; round++) {
        const headers = await proven();
        const answers = await Promise.all([0, 1, 0, 1].map((broker) => at(broker, headers)));
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
      }
    });
  });
}

describeProofs('one SQLite file', (dir) => `sqlite:${join(dir, 'data', 'taskgate.db')}`);
await describeOnPostgres((database) => describeProofs('one PostgreSQL', () => database.url));
