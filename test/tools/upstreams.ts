import { fileURLToPath } from 'node:url';
import {
  createUpstreamPool,
  isToolResult,
  type PoolOptions,
  type UpstreamCall,
  type UpstreamConnection,
  type UpstreamOutcome,
  type UpstreamTarget,
} from '../../tools/index.ts';

/** What tests of upstreams share: targets, a pool whose clock they hold, calls with sensible rest. */

export const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
export const samples = at('../../tools/samples');
export const packages = at('../../node_modules');

export type StdioTarget = Extract<UpstreamTarget, { type: 'stdio' }>;

export function stdio(run: readonly string[], more: Partial<StdioTarget> = {}): StdioTarget {
  return { type: 'stdio', run: ['node', ...run], allowRead: [], allowWrite: [], env: {}, ...more };
}

export const hostile = (...flags: string[]): StdioTarget => stdio([at('fixtures/hostile.ts'), ...flags], { env: { SECRET_KEY: 'hunter2-hunter2' } });

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export interface HeldPool {
  readonly pool: ReturnType<typeof createUpstreamPool>;
  readonly lines: LogLine[];
  now: number;
}

export function heldPool(options: Partial<PoolOptions> = {}): HeldPool {
  const lines: LogLine[] = [];
  const log = {
    debug: (fields: object, message: string) => void lines.push({ level: 'debug', fields, message }),
    warn: (fields: object, message: string) => void lines.push({ level: 'warn', fields, message }),
  };
  const held: HeldPool = { now: 1_000_000, lines, pool: createUpstreamPool({ log, clock: () => held.now, ...options }) };
  return held;
}

let dispatches = 0;

export function call(
  connection: UpstreamConnection,
  tool: string,
  args: Record<string, unknown> = {},
  more: Partial<UpstreamCall> = {},
): Promise<UpstreamOutcome> {
  return connection.call({
    kind: 'tool',
    address: tool,
    arguments: args,
    dispatch: `dsp_${++dispatches}`,
    signal: new AbortController().signal,
    deadlineMs: 10_000,
    maxResultBytes: 1_048_576,
    traceparent: null,
    onProgress: () => undefined,
    ...more,
  });
}

/** The first text of a result; throws on a failure. */
export function textOf(outcome: UpstreamOutcome): string {
  if (outcome.kind !== 'result') throw new Error(`failed: ${outcome.why} ${outcome.detail}`);
  if (!isToolResult(outcome.result)) throw new Error('not the result of a tool');
  return String(outcome.result.content[0]?.['text']);
}
