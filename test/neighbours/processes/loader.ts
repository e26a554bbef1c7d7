import { connect, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import process from 'node:process';
import { answerEnd } from '../../bench/answer-end.ts';
import { spread } from '../../bench/statistics.ts';
import { numberMark } from '../../bench/wire.ts';
import type { Load, Loaded } from '../load.ts';

/** Makes the loads its parent sends it. `argv`: how nice it is. */

setPriority(Number(process.argv[2] ?? 0));
process.on('message', (load: Load) => {
  run(load).then(
    (loaded) => process.send?.(loaded),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

let numbered = 0;

async function run({ port, requests, connections, perSecond, seconds }: Load): Promise<Loaded> {
  const latencies: number[] = [];
  const answers: Record<string, number> = {};
  const count = (what: string): void => {
    answers[what] = (answers[what] ?? 0) + 1;
  };
  const began = performance.now();
  const until = began + seconds * 1000;
  const gap = (1000 * connections) / perSecond;
  const open = new Set<Socket>();
  let next = 0;

  const one = async (index: number): Promise<void> => {
    let line: Line | null = null;
    for (let due = began + (gap * index) / connections; due < until; due = Math.max(due + gap, performance.now() - gap)) {
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      line ??= await lineTo(port, open);
      const text = requests[next++ % requests.length] ?? '';
      numbered = (numbered + 1) % 10 ** numberMark.length;
      const answer = await line.ask(text.replaceAll(numberMark, String(numbered).padStart(numberMark.length, '0')));
      if (answer === null) {
        count(performance.now() < until ? 'closed' : 'silent');
        line = null;
        continue;
      }
      const status = answer.slice(9, 12);
      const code = /"taskgate\/refusal":\{"code":"([a-z_.]+)"|"data":\{"code":"([a-z_.]+)"/.exec(answer);
      count(code ? `${status} ${code[1] ?? code[2]}` : status);
      if (status === '200' && !code) latencies.push(performance.now() - due);
    }
  };
  const ending = setTimeout(() => open.forEach((socket) => void socket.destroy()), seconds * 1000 + 5_000);
  await Promise.all(Array.from({ length: connections }, (_, index) => one(index)));
  clearTimeout(ending);
  for (const socket of open) socket.destroy();
  const { p50, p99 } = latencies.length > 0 ? spread(latencies) : { p50: Number.NaN, p99: Number.NaN };
  return { p50, p99, worst: Math.max(0, ...latencies), answers };
}

interface Line {
  /** The answer's text; null when the connection was lost. */
  ask(text: string): Promise<string | null>;
}

async function lineTo(port: number, open: Set<Socket>): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  open.add(socket);
  let got = Buffer.alloc(0);
  let settle: (answer: string | null) => void = () => undefined;
  let lost = false;
  socket.on('data', (chunk) => {
    got = Buffer.concat([got, chunk as Buffer]);
    const end = answerEnd(got);
    if (end === null) return;
    const answer = got.toString('latin1', 0, end);
    got = got.subarray(end);
    settle(answer);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    lost = true;
    open.delete(socket);
    settle(null);
  });
  return {
    ask: (text) =>
      new Promise((resolve) => {
        if (lost) return resolve(null);
        settle = resolve;
        socket.write(text);
      }),
  };
}
