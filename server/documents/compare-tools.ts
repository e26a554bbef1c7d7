import {
  brokeredName,
  canonicalForm,
  type Definition,
  type Finding,
  keyOf,
  operationsOf,
  screenDefinition,
  sha256Hex,
  type UpstreamDocument,
} from '../../tools/index.ts';
import type { Ports } from '../ports.ts';
import type { Pin, Quarantined } from '../store/store.ts';
import { definitionDifference, type PartDifference } from './definition-difference.ts';
import { type Drift, digestOfListed, driftOf } from './drift.ts';
import { listUpstream } from './list-upstream.ts';
import { noticeDrift, targetOf } from './notice-drift.ts';
import { othersOf } from './others.ts';
import type { TenantSnapshot } from './snapshot.ts';

type ComparePorts = Pick<Ports, 'store' | 'tenants' | 'upstreams' | 'clock' | 'keys' | 'log'>;

/** A tool that is not as it was pinned, or is held for having been so. */
export interface ComparedTool {
  readonly upstream: string;
  /** The upstream's own name of it. */
  readonly tool: string;
  /** Null when it is not registered. */
  readonly name: string | null;
  /** `same`: as it was pinned again, and still held. */
  readonly change: Drift['change'] | 'same';
  /** Since when it is held, epoch milliseconds; null when it is not. */
  readonly heldSince: number | null;
  readonly pinned: string | null;
  readonly digest: string | null;
  readonly differences: readonly PartDifference[];
  /** What a human should look at twice in what it is now. */
  readonly findings: readonly Finding[];
  /** New tools of this upstream that are the same but for the name. */
  readonly renamedTo: readonly string[];
}

export interface Compared {
  readonly tools: readonly ComparedTool[];
  readonly unanswered: readonly { readonly upstream: string; readonly cause: string; readonly remedy: string }[];
}

/** Asks upstreams what they offer now and says what of it is not as it was pinned. What is found is held like any drift. */
export async function compareTools(ports: ComparePorts, snapshot: TenantSnapshot, by: string, upstreams: readonly string[]): Promise<Compared> {
  const { tenant } = snapshot;
  const all = [...snapshot.upstreams.values()].map(({ document }) => document);
  const tools: ComparedTool[] = [];
  const unanswered: Compared['unanswered'][number][] = [];
  for (const name of upstreams) {
    const upstream = snapshot.upstreams.get(name);
    if (!upstream) continue;
    const { document, command } = upstream;
    const listed = await listUpstream(ports, snapshot, command, document);
    const answered = 'definitions' in listed ? { count: listed.definitions.length } : { code: 'upstream.unavailable' };
    await ports.store.append(tenant, [{ type: 'tools.listed', at: ports.clock(), tenant, actor: by, detail: name, ...answered }]);
    if (!('definitions' in listed)) {
      unanswered.push({ upstream: name, ...listed });
      continue;
    }
    const target = await targetOf(ports, snapshot, name);
    if (target !== null) await noticeDrift(ports, { tenant, upstream: name, target }, listed.definitions);
    const configuration = await ports.store.readConfiguration(tenant);
    if (!configuration) continue;
    const held = (configuration.quarantine ?? []).filter((one) => one.upstream === name);
    const drift = driftOf(configuration, name, listed.definitions);
    const again = held.flatMap((one): (Drift | (Omit<Drift, 'change'> & { change: 'same' }))[] => {
      const pinned = configuration.pins.find((pin) => pin.upstream === name && pin.tool === one.tool && pin.digest === one.pinned);
      const live = listed.definitions.find((definition) => keyOf(definition) === one.tool);
      return pinned && live && digestOfListed(live) === pinned.digest ? [{ tool: one.tool, change: 'same', pinned, live, digest: pinned.digest }] : [];
    });
    const fresh = drift.filter(({ change }) => change === 'new');
    tools.push(...[...drift, ...again].map((one) => compared(document, all, one, held, fresh)));
  }
  return { tools, unanswered };
}

function compared(
  document: UpstreamDocument,
  all: readonly UpstreamDocument[],
  { tool, change, pinned, live, digest }: Omit<Drift, 'change'> & { readonly change: ComparedTool['change'] },
  held: readonly Quarantined[],
  fresh: readonly Drift[],
): ComparedTool {
  const manifest = operationsOf(document).find(({ key }) => key === tool);
  const entry = held.find((one) => one.tool === tool && one.pinned === (pinned?.digest ?? null));
  return {
    ...{ upstream: document.name, tool, change, digest },
    name: manifest ? brokeredName(document.name, manifest) : null,
    heldSince: entry && pinned ? entry.at : null,
    pinned: pinned?.digest ?? null,
    differences: change === 'vanished' ? [] : definitionDifference(pinned?.definition ?? null, live),
    findings: live && change !== 'same' ? screenDefinition(live, { ...(manifest ? { manifest } : {}), others: othersOf(all, document.name, tool) }) : [],
    renamedTo: change === 'vanished' && pinned ? fresh.filter((one) => one.live && sameButName(one.live, pinned)).map((one) => one.tool) : [],
  };
}

const sameButName = (live: Definition, { definition }: Pin): boolean => formOf(unnamed(live)) === formOf(unnamed(definition));

/** Without what its upstream knows it by. */
function unnamed(definition: Definition): object {
  const { name, ...rest } = definition;
  if (!('uri' in rest || 'uriTemplate' in rest)) return rest;
  const { uri: _, uriTemplate: __, ...described } = { uri: null, uriTemplate: null, ...definition };
  return described;
}

function formOf(value: unknown): string | null {
  try {
    return sha256Hex(canonicalForm(value));
  } catch {
    return null;
  }
}
