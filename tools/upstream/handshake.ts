import { Client } from '@modelcontextprotocol/client';
import product from '../../package.json' with { type: 'json' };
import type { OperationKind } from '../definition.ts';
import { EgressRefused } from './egress.ts';
import { UpstreamUnavailable } from './upstream.ts';
import { closedHere, redact, type Wire } from './wire.ts';

/** Finds out which revision an upstream speaks, offering it nothing. */

export interface HandshakeOptions {
  /** Makes a wire; called again when an older server ends on being asked for its revision. */
  wire(): Promise<Wire>;
  /** Values that must never come back in an error. */
  readonly secrets: readonly string[];
  readonly connectMs: number;
  /** What of it is listed, and so told of when it changes. */
  readonly lists: readonly OperationKind[];
  onListChanged(): void;
}

export interface Shaken {
  readonly client: Client;
  readonly wire: Wire;
}

const longestProbeMs = 3_000;

/** Rejects with `UpstreamUnavailable`. */
export async function shakeHands(options: HandshakeOptions): Promise<Shaken> {
  const first = await attempt(options, 'auto');
  if ('client' in first) return first;
  // Some older servers end on any request before `initialize`.
  const second = first.ended ? await attempt(options, 'legacy') : first;
  if ('client' in second) return second;
  throw new UpstreamUnavailable(redact(second.reason, options.secrets).slice(0, 500));
}

async function attempt(options: HandshakeOptions, mode: 'auto' | 'legacy'): Promise<Shaken | { readonly ended: boolean; readonly reason: string }> {
  const wire = await options.wire();
  const client = new Client(
    { name: 'taskgate', version: product.version },
    {
      // No roots, sampling or elicitation: what an upstream asks of its client is answered "method not found".
      capabilities: {},
      versionNegotiation: { mode, probe: { timeoutMs: Math.min(longestProbeMs, options.connectMs / 5) } },
      inputRequired: { autoFulfill: false },
      // The default validator generates code from the schemas it is given; results are checked by our own.
      jsonSchemaValidator: { getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }) },
      listChanged: changesOf(options),
    },
  );
  try {
    await client.connect(wire.transport, { timeout: options.connectMs });
    return { client, wire };
  } catch (error) {
    // The client closes what it gives up on: that is no reason.
    const fault = wire.fault()?.detail === closedHere ? null : wire.fault();
    await wire.transport.close().catch(() => undefined);
    return { ended: fault?.why === 'died', reason: fault?.detail ?? reasonOf(error) };
  }
}

function changesOf({ lists, onListChanged }: HandshakeOptions) {
  const told = { autoRefresh: false, debounceMs: 0, onChanged: () => onListChanged() } as const;
  return {
    ...(lists.includes('tool') ? { tools: told } : {}),
    ...(lists.includes('resource') || lists.includes('template') ? { resources: told } : {}),
    ...(lists.includes('prompt') ? { prompts: told } : {}),
  };
}

/** The innermost reason, or a refusal of ours on the way to it. */
function reasonOf(error: unknown): string {
  let reason = 'did not connect';
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause ?? causeInData(at), depth++) {
    reason = at.message;
    if (at instanceof EgressRefused) break;
  }
  return reason;
}

function causeInData(error: Error): unknown {
  return (error as { readonly data?: { readonly cause?: unknown } }).data?.cause;
}
