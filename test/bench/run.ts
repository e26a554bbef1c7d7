import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bench, type BenchOptions, startBench } from './broker.ts';
import { end, messageOf, startClient, startListener, startProcess } from './children.ts';
import type { Options } from './options.ts';
import { type Database, makeDatabase } from './postgres.ts';
import type { Findings } from './report.ts';
import { measureApproval } from './scenes/approval.ts';
import { measureLists } from './scenes/lists.ts';
import { measureAbort, measureReplicas } from './scenes/replicas.ts';
import { measureRows } from './scenes/rows.ts';
import { measureStart } from './scenes/start.ts';
import { brokerTarget, deniedTarget, freshTarget, plainTarget, type Target } from './targets.ts';

/** Policies that concern the tool of every Taskgate row. */
const policies = 50;

/** One whole run: all rows up at once and interleaved, then the scenes, one after the other. Leaves nothing behind. */
export async function runBench({ only, ...options }: Options, say: (line: string) => void): Promise<Findings> {
  const benches: Bench[] = [];
  const journal = await mkdtemp(join(tmpdir(), 'taskgate-bench-journal-'));
  let database = null as Database | null;
  const skipped: string[] = [];
  const failed: string[] = [];
  const wants = (...names: readonly string[]): boolean => names.some((name) => only.has(name));
  try {
    const client = startClient();
    const upstream = await startListener('upstream.ts');
    const begin = async (more: Partial<BenchOptions> = {}): Promise<Bench> => {
      const bench = await startBench({ upstreamPort: upstream.port, policies, manyTools: 0, store: null, ...more });
      benches.push(bench);
      return bench;
    };

    const targets: Target[] = [];
    if (wants('direct')) targets.push(plainTarget('direct', upstream.port, null));
    if (wants('proxy')) {
      const { port, child } = await startListener('proxy.ts', [String(upstream.port)]);
      targets.push(plainTarget('proxy', port, child.pid ?? null));
    }
    if (wants('proxy-durable')) {
      const { port, child } = await startListener('proxy.ts', [String(upstream.port), journal]);
      targets.push(plainTarget('proxy-durable', port, child.pid ?? null));
    }
    const reads = wants('taskgate-sqlite', 'taskgate-sqlite-fresh', 'taskgate-sqlite-denied', 'start', 'approval') ? await begin() : null;
    if (reads && wants('taskgate-sqlite')) targets.push(brokerTarget('taskgate-sqlite', reads, await reads.open(), 'echo'));
    if (reads && wants('taskgate-sqlite-fresh')) targets.push(freshTarget('taskgate-sqlite-fresh', reads, await reads.open()));
    if (wants('taskgate-sqlite-write')) {
      const writes = await begin();
      targets.push(brokerTarget('taskgate-sqlite-write', writes, await writes.open(), 'note'));
    }
    if (reads && wants('taskgate-sqlite-denied')) targets.push(deniedTarget('taskgate-sqlite-denied', reads, await reads.open()));
    const needPostgres = ['taskgate-postgres', 'replicas', 'abort'].filter((name) => only.has(name));
    if (needPostgres.length > 0) database = await makeDatabase();
    if (needPostgres.length > 0 && !database) skipped.push(`${needPostgres.join(', ')}: no PostgreSQL at TASKGATE_TEST_POSTGRES`);
    const shared = database ? await begin({ store: database.url }) : null;
    if (shared && wants('taskgate-postgres')) targets.push(brokerTarget('taskgate-postgres', shared, await shared.open(), 'echo'));

    const scene = async <T>(name: string, measure: () => Promise<T>): Promise<T | null> => {
      if (!wants(name)) return null;
      say(name);
      return measure().catch((error: unknown) => {
        failed.push(`${name}: ${error instanceof Error ? error.message : error}`);
        return null;
      });
    };
    const rows = await measureRows(targets, client, { ...options, only }, say);
    const approval = reads && (await scene('approval', () => measureApproval(reads, client, options.repeats.approvals)));
    const start_ms = reads && (await scene('start', () => measureStart(reads, client)));
    const other = shared && wants('replicas', 'abort') ? await shared.addReplica() : null;
    const replicas = shared && other && (await scene('replicas', () => measureReplicas(shared, other, client, { ...options, only })));
    const hanging = (): Promise<unknown> => messageOf(upstream.child);
    const abort = shared && other && (await scene('abort', () => measureAbort(shared, other, hanging, options.repeats.aborts)));
    for (const bench of benches.splice(0)) await bench.close();
    const lists = await scene('lists', () => measureLists(begin, client, options.repeats.lists));
    const decisions = await scene('decisions', () => alone<NonNullable<Findings['decisions']>>(startProcess('decisions.ts')));
    return { rows, start_ms, lists, decisions, approval, replicas, abort, skipped, failed };
  } finally {
    for (const bench of benches) await bench.close();
    await database?.drop();
    await rm(journal, { recursive: true, force: true });
  }
}

/** The one message of a process that is then done. */
async function alone<T>(child: ChildProcess): Promise<T> {
  const message = await messageOf<T>(child);
  await end(child);
  return message;
}
