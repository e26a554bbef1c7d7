import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { answerEnd } from '../answer-end.ts';
import { spread } from '../statistics.ts';
import { type Job, numberMark, type Reply } from '../wire.ts';

/** The client of every row: one keep-alive socket a caller, one request in flight on each, bytes made beforehand. Takes jobs from its parent. */

/** Milliseconds; longer than anything the broker waits for. */
const patience = 120_000;
let numbered = 0;

process.on('message', (job: Job) => {
  run(job).then(
    (reply) => process.send?.(reply),
    (error: unknown) => process.send?.({ failed: error instanceof Error ? error.message : String(error) } satisfies Reply),
  );
});
process.on('disconnect', () => process.exit());

async function run(job: Job): Promise<Reply> {
  const sockets = await Promise.all(Array.from({ length: job.callers }, (_, index) => open(job.ports[index % job.ports.length] ?? 0)));
  const latencies = new Float64Array(job.calls);
  let next = 0;
  const cpu = process.cpuUsage();
  const began = process.hrtime.bigint();
  try {
    await Promise.all(
      sockets.map(async (socket, caller) => {
        const bytes = Buffer.from(job.requests[Math.floor(caller / job.ports.length) % job.requests.length] ?? '');
        const marks = positions(bytes);
        const exchange = exchangeOn(socket, job.expect);
        while (next < job.calls) {
          const index = next++;
          numbered = (numbered + 1) % 10 ** numberMark.length;
          for (const at of marks) bytes.write(String(numbered).padStart(numberMark.length, '0'), at, 'latin1');
          const sent = process.hrtime.bigint();
          await exchange(bytes);
          latencies[index] = Number(process.hrtime.bigint() - sent) / 1000;
        }
      }),
    );
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  return { measured: { ...spread(latencies), rate: job.calls / seconds, clientCpu: (user + system) / job.calls } };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
    socket.setTimeout(patience, () => socket.destroy(new Error(`no answer within ${patience / 1000} s`)));
  });
}

function positions(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(numberMark); at !== -1; at = bytes.indexOf(numberMark, at + 1)) found.push(at);
  return found;
}

/** Sends one request and waits for the whole answer to it; throws on any but the one expected. */
function exchangeOn(socket: Socket, expect: string): (bytes: Buffer) => Promise<void> {
  let got: Buffer[] = [];
  let settle: { resolve(): void; reject(error: Error): void } | null = null;
  socket.on('data', (chunk) => {
    got.push(chunk as Buffer);
    const whole = got.length === 1 ? (chunk as Buffer) : Buffer.concat(got);
    if (answerEnd(whole) === null) {
      got = [whole];
      return;
    }
    got = [];
    const right = whole.toString('latin1', 9, 12) === '200' && whole.includes(expect);
    if (right) settle?.resolve();
    else settle?.reject(new Error(`an answer was not as expected (${expect}): ${whole.toString('utf8').slice(0, 1500)}`));
  });
  socket.on('error', (error) => settle?.reject(error));
  socket.on('close', () => settle?.reject(new Error('the connection was closed under a call')));
  return (bytes) =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      socket.write(bytes);
    });
}
