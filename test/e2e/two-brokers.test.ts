import { rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { expect, it } from 'vitest';
import { freePort } from '../../server/cli/demo/documents.ts';
import { config } from '../../server/config.ts';
import { findDoors } from '../../server/connect/broker.ts';
import { openTask } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import { createLog } from '../../server/observe/log.ts';
import { type Broker, startBroker } from '../../server/start.ts';
import { describeOnPostgres } from '../store/postgres-bench.ts';
import { newFolder } from '../support/broker.ts';
import { type Extras, writeDocuments } from '../support/documents.ts';

await describeOnPostgres((database) => {
  it('two brokers on one PostgreSQL: a task opened at one is served, counted and over at the other', { timeout: 60_000 }, async () => {
    const dir = await newFolder();
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    await writeFile(join(dir, 'matcher.json'), JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'ES256' }));
    const documents = [await writeDocuments(dir, autonomous(await exportJWK(publicKey)))];
    const ports = [await freePort(), await freePort()] as const;
    // One public URL for both, as behind a load balancer.
    const url = `http://localhost:${ports[0]}`;
    const start = (port: number): Promise<Broker> => {
      const settings = config.parse({ listen: { port, hosts: ['127.0.0.1'] }, data: join(dir, 'data'), store: database.url, documents, public_url: url });
      return startBroker({ ...settings, public_url: url }, { log: createLog('silent'), samples: true });
    };
    const one = await start(ports[0]);
    const two = await start(ports[1]);
    try {
      const doors = await findDoors(url, 'acme');
      const workload = findWorkload(doors, { agent: 'invoice-matcher', data: dir, svidFile: null, key: join(dir, 'matcher.json') });
      const task = await openTask(doors, workload, null, { use_case: 'match-invoices', inputs: { invoice: 'INV-7' } });
      const path = new URL(task.mcpUrl).pathname;
      const search = (port: number) => post(port, new URL(url).host, path, task.accessToken);
      const answers = [await search(ports[1]), await search(ports[0]), await search(ports[1])];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(answers.map(({ body }) => /INV-7/.test(body) && !/isError":true/.test(body))).toEqual([true, true, true]);
      expect((await search(ports[0])).body).toMatch(/used up its calls/);
      expect(
        await one.ports.store.endSession('acme', task.session, { status: 'ended', reason: 'done' }, Date.now(), {
          type: 'session.ended',
          at: Date.now(),
          tenant: 'acme',
        }),
      ).toBe(true);
      expect((await search(ports[1])).status).toBe(401);
    } finally {
      await two.close();
      await one.close();
      await rm(dir, { recursive: true, force: true });
    }
  });
});

/** The sample agent by a registered key and the sample use case without a sponsor, since the local provider is not to be had here; three calls a task. */
function autonomous(jwk: JWK): Extras {
  return {
    change(document) {
      if (document['tenant'] !== 'acme') return document;
      if (document['name'] === 'invoice-matcher') return { ...document, identity: { jwk } };
      if (document['name'] !== 'match-invoices') return document;
      const { sponsors: _, ...rest } = document;
      return { ...rest, accountable: 'dana', budget: { calls: 3 } };
    },
  };
}

/** A 2025-era call through a balancer: the public name in `Host`, whichever broker it reaches. */
function post(port: number, host: string, path: string, token: string): Promise<{ status: number; body: string }> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'mail__search', arguments: { query: 'INV-7' } } });
  const headers = {
    host,
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-06-18',
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
