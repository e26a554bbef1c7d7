import { rm, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { type Bench, type BenchOptions, prepareBroker } from './broker.ts';
import { killAll, startClient, startListener } from './children.ts';
import { measureRows } from './measure-rows.ts';
import { help, type Options, readOptions } from './options.ts';
import { brokerRow, plainRow, type Row } from './rows.ts';
import { measureStart } from './start-time.ts';
import { textTable } from './table.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function run(options: Options): Promise<void> {
  const brokers: Bench[] = [];
  const client = startClient();
  const upstream = await startListener('upstream.ts');
  const begin = async (more: Partial<BenchOptions> = {}): Promise<Bench> => {
    const bench = await prepareBroker({ upstreamPort: upstream.port, policies: 50, manyTools: 0, ...more });
    brokers.push(bench);
    await bench.start();
    return bench;
  };
  try {
    const rows: Row[] = [];
    if (options.only.has('direct')) rows.push(plainRow('direct', upstream.port, null));
    if (options.only.has('proxy')) {
      const proxy = await startListener('proxy.ts', [String(upstream.port)]);
      rows.push(plainRow('proxy', proxy.port, proxy.child.pid ?? null));
    }
    for (const [name, tool] of [
      ['taskgate-sqlite', 'echo'],
      ['taskgate-sqlite-write', 'note'],
    ] as const) {
      if (options.only.has(name)) rows.push(await brokerRow(name, await begin(), tool));
    }
    const figures = await measureRows(rows, client, options, say);
    const start = brokers[0] && options.only.has('start') ? await measureStart(brokers[0], client) : null;
    const whole = (value: number | null): string => (value === null ? '-' : String(Math.round(value)));
    process.stdout.write(
      `${textTable(
        ['µs', 'p50 1', 'p95 1', 'p99 1', 'p50 32', 'p95 32', 'p99 32', 'calls/s', 'CPU', 'RSS before', 'after'],
        figures.map(({ name, alone, together, soak }) => [
          name,
          ...[alone.p50, alone.p95, alone.p99, together.p50, together.p95, together.p99, together.rate, soak.cpu, soak.before, soak.after].map(whole),
        ]),
      )}\n${start === null ? '' : `start ${Math.round(start)} ms\n`}`,
    );
    if (options.json !== null) await writeFile(options.json, JSON.stringify({ rows: figures, start }, null, 2));
  } finally {
    for (const bench of brokers) {
      await bench.stop();
      await rm(bench.dir, { recursive: true, force: true });
    }
    killAll();
  }
}

process.once('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const options = readOptions(process.argv.slice(2));
if (options === 'help') process.stdout.write(help);
else await run(options);
process.exit();
