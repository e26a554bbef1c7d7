import { type BrokeredTool, type Definition, definitionDigest, keyOf } from '../../tools/index.ts';
import type { Pin, Quarantined, TenantConfiguration } from '../store/store.ts';

/** Drift: what an upstream offers now against what was pinned. Pure; who notices it and what follows is elsewhere. */

/** Of what nobody registered, the most that are told of one upstream: it may make up as many as it likes. */
const mostNew = 50;

export interface Drift {
  readonly tool: string;
  readonly change: Quarantined['change'];
  readonly pinned: Pin | null;
  readonly live: Definition | null;
  /** Digest of what it is now; null when it is gone or has no canonical form. */
  readonly digest: string | null;
}

/** What is new of it is told. Resources come and go with what they hold: what is new of them is no news, and nobody may read it. */
export const newsOf = (definitions: readonly Definition[]): readonly Definition[] => definitions.filter(({ kind }) => kind !== 'resource');

/** Everything about one upstream that is not as it was pinned, by name. */
export function driftOf({ pins, offered }: Pick<TenantConfiguration, 'pins' | 'offered'>, upstream: string, definitions: readonly Definition[]): Drift[] {
  const live = new Map(definitions.map((definition) => [keyOf(definition), definition]));
  const own = new Map(pins.flatMap((pin) => (pin.upstream === upstream ? [[pin.tool, pin] as const] : [])));
  const registered = [...own.values()].flatMap((pinned): Drift[] => {
    const now = live.get(pinned.tool) ?? null;
    const digest = now && digestOfListed(now);
    if (digest === pinned.digest) return [];
    return [{ tool: pinned.tool, change: now ? 'changed' : 'vanished', pinned, live: now, digest }];
  });
  // What it offered when nobody wrote that down cannot be told from what is new.
  const known = offered && Object.hasOwn(offered, upstream) ? new Set(offered[upstream]) : null;
  const fresh =
    known === null
      ? []
      : newsOf(definitions)
          .filter((one) => !own.has(keyOf(one)) && !known.has(keyOf(one)))
          .slice(0, mostNew);
  return [...registered, ...fresh.map((now): Drift => ({ tool: keyOf(now), change: 'new', pinned: null, live: now, digest: digestOfListed(now) }))].sort(
    (a, b) => (a.tool < b.tool ? -1 : 1),
  );
}

/** What has to be held in addition; empty when all of it is held already. Held stays held, whatever the upstream says next. */
export function newlyHeld(
  configuration: Pick<TenantConfiguration, 'pins' | 'offered' | 'quarantine'>,
  upstream: string,
  drift: readonly Drift[],
  at: number,
): Quarantined[] {
  const own = (configuration.quarantine ?? []).filter((one) => one.upstream === upstream);
  const held = new Set(own.map(({ tool, pinned }) => JSON.stringify([tool, pinned])));
  let room = mostNew - own.filter(({ change }) => change === 'new').length;
  return drift.flatMap(({ tool, change, pinned, digest }): Quarantined[] => {
    const one: Quarantined = { upstream, tool, change, pinned: pinned?.digest ?? null, seen: digest, at };
    if (held.has(JSON.stringify([tool, one.pinned]))) return [];
    return change === 'new' && room-- <= 0 ? [] : [one];
  });
}

/** What is still held once these pins are in force: an entry is about a pin, and goes when another takes its place or it is accepted. */
export function stillHeld(
  quarantine: readonly Quarantined[],
  next: { readonly pins: readonly Pin[]; readonly offered: Readonly<Record<string, readonly string[]>> },
  accepted: (upstream: string, tool: string) => boolean,
): Quarantined[] {
  return quarantine.filter(({ upstream, tool, pinned }) => {
    const pin = next.pins.find((one) => one.upstream === upstream && one.tool === tool);
    if (pinned !== null) return pin?.digest === pinned && !accepted(upstream, tool);
    const known = Object.hasOwn(next.offered, upstream) ? next.offered[upstream] : [];
    return pin === undefined && next.pins.some((one) => one.upstream === upstream) && !known?.includes(tool);
  });
}

/** By brokered name, the registered tools that are held. */
export function heldTools(tools: Iterable<BrokeredTool>, quarantine: readonly Quarantined[]): ReadonlyMap<string, Quarantined> {
  const held = new Map(quarantine.map((one) => [`${one.upstream}/${one.tool}/${one.pinned}`, one]));
  return new Map(
    [...tools].flatMap(({ name, upstream, manifest, digest }) => {
      const one = held.get(`${upstream}/${manifest.key}/${digest}`);
      return one ? [[name, one] as const] : [];
    }),
  );
}

const digests = new WeakMap<Definition, string | null>();

/** Null when it has no canonical form. A definition that was listed never changes; another listing brings another object. */
export function digestOfListed(definition: Definition): string | null {
  const known = digests.get(definition);
  if (known !== undefined) return known;
  let digest: string | null = null;
  try {
    digest = definitionDigest(definition);
  } catch {
    // Not plain JSON: nothing may be bound to it.
  }
  digests.set(definition, digest);
  return digest;
}
