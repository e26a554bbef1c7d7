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

const text = `hello-${numberMark}`;
const expect = '"text":"hello-';

export function plainTarget(name: RowName, port: number, pid: number | null): Target {
  const request = mcpRequest({ host: `127.0.0.1:${port}`, path: '/mcp', token: null }, 'tools/call', { name: 'echo', arguments: { text } });
  return { name, job: { ports: [port], requests: [request], expect }, pid, soaks: true };
}

/** The whole path: token, session, policy, schema, record. `echo` reads and stays in the tenant; `note` writes. */
export function brokerTarget(name: RowName, broker: { readonly port: number; pid(): number }, task: Task, tool: 'echo' | 'note'): Target {
  const request = requestInto(task, 'tools/call', { name: `bench__${tool}`, arguments: { text } });
  return { name, job: { ports: [broker.port], requests: [request], expect }, pid: broker.pid(), soaks: true };
}

/** A call that one of the policies forbids. */
export function deniedTarget(name: RowName, broker: { readonly port: number; pid(): number }, task: Task): Target {
  const request = requestInto(task, 'tools/call', { name: 'bench__echo', arguments: { text: `${forbiddenText}7-${numberMark}` } });
  return { name, job: { ports: [broker.port], requests: [request], expect: '"policy.forbidden"' }, pid: broker.pid(), soaks: false };
}
