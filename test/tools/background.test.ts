import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startBackground } from '../../tools/index.ts';

const mail = join(import.meta.dirname, '../../tools/samples/mail.ts');
const quiet = { debug: () => undefined, warn: () => undefined };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST' }).then(
    () => true,
    () => false,
  );
const command = (port: number, more = {}) => ({
  name: 'sample',
  run: ['node', mail, '--http', String(port)],
  allowRead: [],
  allowWrite: [],
  listens: `127.0.0.1:${port}`,
  ...more,
});

describe("an operator's background command", () => {
  it('listens once it is said to be started, and is gone once it is closed', async () => {
    const port = await freePort();
    const running = await startBackground(command(port), { log: quiet, forbidden: [] });
    expect(await answers(port)).toBe(true);
    await running.close();
    expect(await answers(port)).toBe(false);
  });

  it('that ends before it listens fails the start, by name', async () => {
    const port = await freePort();
    const broken = command(port, { run: ['node', join(import.meta.dirname, 'no-such-program.ts')] });
    await expect(startBackground(broken, { log: quiet, forbidden: [] })).rejects.toThrow(/sample does not listen/);
  });

  it('may not be let at the data folder', async () => {
    const port = await freePort();
    const greedy = command(port, { allowRead: [import.meta.dirname] });
    await expect(startBackground(greedy, { log: quiet, forbidden: [join(import.meta.dirname, 'fixtures')] })).rejects.toThrow(/own data/);
  });
});
