import type { Bench } from './broker.ts';
import { requestInto } from './broker.ts';
import type { RowName } from './options.ts';
import { type Job, mcpRequest, numberMark } from './wire.ts';

/** One target of the same load. */
export interface Row {
  readonly name: RowName;
  readonly job: Pick<Job, 'ports' | 'request' | 'expect'>;
  /** The process between client and upstream; null when there is none. */
  pid(): number | null;
}

const text = `hello-${numberMark}`;
const expect = '"text":"hello-';

export function plainRow(name: RowName, port: number, pid: number | null): Row {
  const request = mcpRequest({ host: `127.0.0.1:${port}`, path: '/mcp', token: null }, 'tools/call', { name: 'echo', arguments: { text } });
  return { name, job: { ports: [port], request, expect }, pid: () => pid };
}

/** The whole path into one session of a broker. `echo` reads and stays in the tenant; `note` writes. */
export async function brokerRow(name: RowName, bench: Bench, tool: 'echo' | 'note'): Promise<Row> {
  const request = requestInto(await bench.open(), 'tools/call', { name: `bench__${tool}`, arguments: { text } });
  return { name, job: { ports: [bench.port], request, expect }, pid: () => bench.pid() };
}
