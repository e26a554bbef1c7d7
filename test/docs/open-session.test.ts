import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findDoors } from '../../server/connect/broker.ts';
import { askIdToken, askSvid, type PrivateJwk } from '../../server/connect/local.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';

const program = join(import.meta.dirname, '../../docs/examples/open-session.ts');
let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.end());

async function run(more: Record<string, string>): Promise<{ exit: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'] ?? '', TASKGATE_URL: broker.url, TASKGATE_DATA: join(broker.dir, 'data'), ...more };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { exit: Number(code), stdout, stderr };
}
const keyOf = async (name: string): Promise<PrivateJwk> => JSON.parse(await readFile(join(broker.dir, 'data', 'local', 'acme', `${name}.json`), 'utf8'));

it('the example for machines opens a session by the local provider, lists its tools and ends it', async () => {
  const { exit, stdout, stderr } = await run({});
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  expect(stdout.match(/^checked: /gm)).toHaveLength(3);
  const { body } = await broker.v1(await broker.person('acme', 'dana'), 'GET', '/sessions?status=ended');
  expect(body['items']).toMatchObject([{ agent: 'invoice-matcher', sponsor: 'local#ana', end_reason: 'ended by its agent' }]);
});

it('takes an SVID and a sponsor’s token from files, and fails aloud when one was used before', async () => {
  const doors = await findDoors(broker.url, 'acme');
  const svid = join(broker.dir, 'svid.jwt');
  const sponsor = join(broker.dir, 'ana.jwt');
  await writeFile(svid, `${await askSvid(doors, await keyOf('agents/invoice-matcher'), 'invoice-matcher')}\n`);
  await writeFile(sponsor, `${await askIdToken(doors, await keyOf('people'), 'ana', { agent: 'invoice-matcher' })}\n`);
  const files = { TASKGATE_SVID_FILE: svid, TASKGATE_SPONSOR_TOKEN: sponsor };
  expect(await run(files)).toMatchObject({ exit: 0, stderr: '' });
  expect(await run(files)).toMatchObject({ exit: 1, stderr: expect.stringContaining('log in again') });
});
