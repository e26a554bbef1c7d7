import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { createAnswerLate } from '../../server/mcp/answer-late.ts';

const connections = 48;
const sent = Buffer.alloc(400_000, 'x');

it('of whoever waits to be told nothing that came is kept in memory, and nothing more is read', async () => {
  const answerLate = createAnswerLate();
  const waiting: IncomingMessage[] = [];
  const server = createServer(async (incoming, outgoing) => {
    // The rest of what came with the head is there by then, as it is once somebody has been identified.
    await new Promise(setImmediate);
    const told = answerLate('acme', incoming, new AbortController().signal);
    if (waiting.push(incoming) === connections) server.emit('all');
    await told;
    outgoing.writeHead(429, { connection: 'close', 'content-length': 0 }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const before = process.memoryUsage().arrayBuffers;
  const all = once(server, 'all');
  const answers = Array.from({ length: connections }, async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${sent.length}\r\n\r\n`);
    socket.write(sent);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return answer.toString('latin1', 0, 12);
  });
  await all;
  await new Promise(setImmediate);
  const read = waiting.map(({ socket }) => socket.bytesRead);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_048_576);
  expect(await Promise.all(answers)).toEqual(answers.map(() => 'HTTP/1.1 429'));
  expect(Math.max(...read)).toBeLessThanOrEqual(2 * 65_536);
  server.close();
});
