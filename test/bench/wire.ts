/** What the processes of the bench say to each other over Node's IPC channel, and the MCP requests they carry. */

export interface Job {
  /** The connections are dealt out over these in turn, */
  readonly ports: readonly number[];
  /** and those of each port over these: head and body as they go over the wire. Each `########` becomes a number, so that no two are alike. */
  readonly requests: readonly string[];
  /** Every answer must be a 200 that holds this. */
  readonly expect: string;
  readonly callers: number;
  readonly calls: number;
}

/** Latencies in microseconds. */
export interface Measured {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Calls a second over the whole job. */
  readonly rate: number;
  /** CPU of the client's own process, microseconds a call. */
  readonly clientCpu: number;
}

export type Reply = { readonly measured: Measured } | { readonly failed: string };

export const numberMark = '########';

export const revision = '2026-07-28';

/** One POST of MCP 2026-07-28, whole. `host` is the public name that the target knows itself by. */
export function mcpRequest(target: { readonly host: string; readonly path: string; readonly token: string | null }, method: string, params: object): string {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } });
  const head = [
    `POST ${target.path} HTTP/1.1`,
    `host: ${target.host}`,
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    `mcp-protocol-version: ${revision}`,
    `mcp-method: ${method}`,
    ...('name' in params ? [`mcp-name: ${params.name}`] : []),
    ...(target.token === null ? [] : [`authorization: Bearer ${target.token}`]),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
