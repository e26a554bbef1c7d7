import type { Task } from '../../server/connect/session.ts';
import { requestInto } from './broker.ts';
import { forbiddenText } from './documents.ts';
import type { RowName } from './options.ts';
import { type Job, mcpRequest, numberMark } from './wire.ts';

/** One row of the table: where the load goes, and which process is charged for it. */
export interface Target {
  readonly name: RowName;
  readonly job: Pick<Job, 'ports' | 'requests' | 'expect'>;
  /** Between client and upstream; null when nothing is. */
  readonly pid: number | null;
  /** Whether the long run of many calls is worth its time. */
  readonly soaks: boolean;
}

/** What an agent asks again and again; policies read it. */
const usual = Array.from({ length: 32 }, (_, index) => `hello-${String(index).padStart(numberMark.length, '0')}`);
/** What nobody has asked before, so that no decision about it can be remembered. */
const fresh = [`hello-${numberMark}`];
const expect = '"text":"hello-';

export function plainTarget(name: RowName, port: number, pid: number | null): Target {
  const requests = usual.map((text) =>
    mcpRequest({ host: `127.0.0.1:${port}`, path: '/mcp', token: null }, 'tools/call', { name: 'echo', arguments: { text } }),
  );
  return { name, job: { ports: [port], requests, expect }, pid, soaks: true };
}

/** The whole path: token, session, policy, schema, record. `echo` reads and stays in the tenant; `note` writes. */
export function brokerTarget(name: RowName, broker: Running, task: Task, tool: 'echo' | 'note'): Target {
  return { name, job: { ports: [broker.port], requests: asked(task, tool, usual), expect }, pid: broker.pid(), soaks: true };
}

/** The whole path, with arguments of which each is the first of its kind: every one is judged by the engine itself. */
export function freshTarget(name: RowName, broker: Running, task: Task): Target {
  return { name, job: { ports: [broker.port], requests: asked(task, 'echo', fresh), expect }, pid: broker.pid(), soaks: false };
}

interface Running {
  readonly port: number;
  pid(): number;
}

const asked = (task: Task, tool: string, texts: readonly string[]): string[] =>
  texts.map((text) => requestInto(task, 'tools/call', { name: `bench__${tool}`, arguments: { text } }));

/** A call that one of the policies forbids. */
export function deniedTarget(name: RowName, broker: Running, task: Task): Target {
  return {
    name,
    job: { ports: [broker.port], requests: asked(task, 'echo', [`${forbiddenText}7-`]), expect: '"policy.forbidden"' },
    pid: broker.pid(),
    soaks: false,
  };
}
