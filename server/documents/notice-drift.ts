import { canonicalForm, type Definition, sha256Hex, visible } from '../../tools/index.ts';
import { readSecretValue } from '../credentials/index.ts';
import type { Ports } from '../ports.ts';
import type { Quarantined } from '../store/store.ts';
import { driftOf, newlyHeld } from './drift.ts';
import type { TenantSnapshot } from './snapshot.ts';
import { readConnectionKey, upstreamTarget } from './upstream-target.ts';

type NoticePorts = Pick<Ports, 'store' | 'tenants' | 'keys' | 'clock' | 'log'>;

const attempts = 3;

/** Listens to what upstreams list over the connections that calls are made on: at connect, again later, and after a change was announced. */
export const watchDrift =
  (ports: NoticePorts) =>
  (key: string, definitions: readonly Definition[]): void => {
    const place = readConnectionKey(key);
    if (place === null) return;
    noticeDrift(ports, place, definitions).catch((error: unknown) =>
      ports.log.error({ err: error, tenant: place.tenant, upstream: place.upstream }, 'drift could not be written down; the call is refused all the same'),
    );
  };

/**
 * Holds every tool of the upstream that is not as it was pinned, in one transaction with its record and the word to the admins. What is
 * held already is left as it is, so that an upstream can take each of its tools away once and nothing more.
 */
export async function noticeDrift(
  ports: NoticePorts,
  place: { readonly tenant: string; readonly upstream: string; readonly target: string },
  definitions: readonly Definition[],
): Promise<void> {
  const { tenant, upstream } = place;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const [snapshot, configuration] = await Promise.all([ports.tenants.current(tenant), ports.store.readConfiguration(tenant)]);
    if (!snapshot || !configuration || snapshot.revision !== configuration.revision) continue;
    const drift = driftOf(configuration, upstream, definitions);
    const at = ports.clock();
    const held = newlyHeld(configuration, upstream, drift, at);
    // What another target lists says nothing of this one: the document or its key has changed since.
    if (held.length === 0 || (await targetOf(ports, snapshot, upstream)) !== place.target) return;
    const { revision, ...stored } = configuration;
    const answer = await ports.store.applyConfiguration({
      platform: null,
      tenants: [
        {
          expectedRevision: revision,
          next: { ...stored, quarantine: [...(stored.quarantine ?? []), ...held] },
          records: [
            {
              ...{ type: 'tools.quarantined', at, tenant, actor: 'taskgate', revision: revision + 1 },
              changes: held.map(recorded),
            },
          ],
          events: [
            {
              type: 'change.quarantined',
              at,
              about: `${upstream}/${revision + 1}`,
              facts: { upstream, tools: told(held), to: ['role:admin'] },
            },
          ],
        },
      ],
    });
    if (answer.applied) {
      ports.log.warn({ tenant, upstream, tools: held.map(({ tool }) => tool) }, 'tools are not what was pinned; they are held until an admin accepts them');
      return;
    }
  }
}

/** What a message says: names that an admin registered. What is new has a name that only its upstream chose, and is counted. */
function told(held: readonly Quarantined[]): string[] {
  const fresh = held.filter(({ change }) => change === 'new').length;
  return [...held.flatMap(({ tool, change }) => (change === 'new' ? [] : [`${tool} (${change})`])), ...(fresh > 0 ? [`${fresh} new`] : [])];
}

const changes = { changed: 'changed', vanished: 'removed', new: 'added' } as const;

const recorded = ({ upstream, tool, change, pinned, seen }: Quarantined) => ({
  change: changes[change],
  kind: 'Tool',
  name: `${upstream}/${visible(tool)}`,
  effect: 'narrows' as const,
  sha256: seen ?? pinned ?? '',
});

export async function targetOf(ports: Pick<NoticePorts, 'store' | 'keys' | 'clock'>, snapshot: TenantSnapshot, upstream: string): Promise<string | null> {
  const credential = snapshot.upstreams.get(upstream)?.document.credential;
  if (!snapshot.upstreams.has(upstream)) return null;
  const secret = credential === undefined ? null : ((await readSecretValue(ports, snapshot.tenant, credential))?.value ?? null);
  return sha256Hex(canonicalForm(upstreamTarget(snapshot, upstream, secret)));
}
