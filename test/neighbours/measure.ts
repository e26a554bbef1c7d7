import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { killAll } from '../bench/children.ts';
import { residentOf } from '../bench/proc.ts';
import { median } from '../bench/statistics.ts';
import { startNeighbours } from './broker.ts';
import { callOf, floods } from './floods.ts';
import { startLoader } from './load.ts';

/** `npm run neighbours`: what a tenant feels of another that floods, and what many tenants cost. */

const help = `npm run neighbours -- [--rounds N] [--only NAMES] [--per-second N] [--nice N] [--json]

Tenant B makes 60 calls a second over four sessions; tenant A floods over 64 connections from a niced process, at a
bounded rate, so that what is measured is the broker's fairness and not the client's share of the processors. Rounds of
ten seconds of B alone and of B beside each flood alternate in one run, after a short one that is not counted; the table says the
medians of B's p99. Then 40 tenants with 50
sessions each. Some ten minutes. NAMES, with commas: ${Object.keys(floods).join(', ')}, many
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    'per-second': { type: 'string', default: '600' },
    nice: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const only = values.only?.split(',').map((name) => name.trim()) ?? [...Object.keys(floods), 'many'];
const steady = { connections: 4, perSecond: 60, seconds: 10 };

interface Flooded {
  readonly flood: string;
  readonly alone: number;
  readonly beside: number;
  readonly ratio: number;
  /** B's slowest call beside it. */
  readonly worst: number;
  /** Of B beside the flood; and what A was answered. */
  readonly answers: Readonly<Record<string, number>>;
  readonly flooder: Readonly<Record<string, number>>;
}

async function measureFloods(): Promise<Flooded[]> {
  const broker = await startNeighbours(['a', 'b']);
  const [flooder, neighbour] = [startLoader(Number(values.nice)), startLoader(0)];
  try {
    const [a, b] = [await openAll(broker, 'a', 8), await openAll(broker, 'b', 4)];
    const calls = { port: broker.port, requests: b.map((task) => callOf(task, 'bench__echo', 'steady ########')), ...steady };
    await neighbour.run(calls);
    const rows: Flooded[] = [];
    for (const [flood, requestsOf] of Object.entries(floods).filter(([name]) => only.includes(name))) {
      const load = { port: broker.port, requests: requestsOf(a), connections: 64, perSecond: Number(values['per-second']), seconds: steady.seconds + 0.5 };
      const alone: number[] = [];
      const beside: number[] = [];
      let [answers, flooded, worst] = [{}, {}, 0];
      // As one that has met it before.
      await Promise.all([neighbour.run({ ...calls, seconds: 2 }), flooder.run({ ...load, seconds: 2 })]);
      for (let round = 0; round < Number(values.rounds); round++) {
        alone.push((await neighbour.run(calls)).p99);
        const [ours, theirs] = await Promise.all([neighbour.run(calls), flooder.run(load)]);
        beside.push(ours.p99);
        worst = Math.max(worst, ours.worst);
        [answers, flooded] = [ours.answers, theirs.answers];
      }
      const row = { flood, alone: median(alone), beside: median(beside), ratio: median(beside) / median(alone), worst, answers, flooder: flooded };
      say(JSON.stringify(row));
      rows.push(row);
    }
    return rows;
  } finally {
    flooder.stop();
    neighbour.stop();
    await broker.stop();
  }
}

/** 40 tenants with 50 sessions each, all of them calling now and then. */
async function measureMany(): Promise<object> {
  const tenants = Array.from({ length: 40 }, (_, index) => `tenant-${index}`);
  const one = await startNeighbours(tenants.slice(0, 1));
  const residentOfOne = residentOf(one.pid);
  await one.stop();
  const broker = await startNeighbours(tenants, { tokens: { client: { per_second: 1_000, burst: 1_000 } } });
  const loader = startLoader(0);
  try {
    const compiled = residentOf(broker.pid);
    const began = performance.now();
    const tasks = [];
    for (const tenant of tenants) tasks.push(...(await openAll(broker, tenant, 50)));
    const openMs = (performance.now() - began) / tasks.length;
    const opened = residentOf(broker.pid);
    // Each session calls once in some fifteen seconds, so that every one of them is in use.
    const load = {
      port: broker.port,
      requests: tasks.map((task) => callOf(task, 'bench__echo', 'many ########')),
      connections: 64,
      perSecond: 130,
      seconds: 20,
    };
    const { p50, p99, worst, answers } = await loader.run(load);
    return {
      tenants: tenants.length,
      sessions: tasks.length,
      startMs: broker.startMs,
      startMsOfOneTenant: one.startMs,
      residentMiB: { ofOneTenant: residentOfOne, started: compiled, perTenant: (compiled - residentOfOne) / 39, opened, called: residentOf(broker.pid) },
      openMs,
      ...{ p50, p99, worst, answers },
    };
  } finally {
    loader.stop();
    await broker.stop();
  }
}

async function openAll(broker: Awaited<ReturnType<typeof startNeighbours>>, tenant: string, count: number) {
  const tasks = [];
  for (let i = 0; i < count; i++) tasks.push(await broker.open(tenant));
  return tasks;
}

if (values.help) process.stdout.write(help);
else {
  try {
    const rows = await measureFloods();
    const many = only.includes('many') ? await measureMany() : null;
    const conditions = {
      cpu: cpus()[0]?.model ?? '',
      cores: availableParallelism(),
      node: process.version,
      rounds: values.rounds,
      perSecond: values['per-second'],
    };
    if (values.json) process.stdout.write(`${JSON.stringify({ conditions, floods: rows, many }, null, 2)}\n`);
    else {
      const lines = rows.map(
        ({ flood, alone, beside, ratio, worst }) =>
          `${flood.padEnd(20)} ${alone.toFixed(1).padStart(8)} ${beside.toFixed(1).padStart(8)} ${ratio.toFixed(2).padStart(8)} ${worst.toFixed(1).padStart(8)}`,
      );
      process.stdout.write(
        `${['flood'.padEnd(20), '   alone', '  beside', '   ratio', '   worst'].join(' ')}   (p99 of B, and its slowest call beside, ms)\n${lines.join('\n')}\n`,
      );
      if (many) process.stdout.write(`${JSON.stringify(many, null, 2)}\n`);
    }
  } finally {
    killAll();
  }
}
