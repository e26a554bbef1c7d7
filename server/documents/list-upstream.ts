import {
  type CredentialDocument,
  type Definition,
  type UpstreamDocument,
  type UpstreamPool,
  type UpstreamTarget,
  UpstreamUnavailable,
} from '../../tools/index.ts';
import { readSecretValue } from '../credentials/index.ts';
import type { Ports } from '../ports.ts';
import type { OperatorCommand } from './kinds.ts';
import { listingKey, upstreamTarget } from './upstream-target.ts';

export type ListPorts = Pick<Ports, 'store' | 'upstreams' | 'clock' | 'keys'>;

export interface NotListed {
  readonly cause: string;
  readonly remedy: string;
}

const patienceMs = 20_000;
let listings = 0;

/**
 * The one door by which a registered upstream is asked what it offers, outside a call: it lists and does nothing else, over a connection
 * of its own. Whoever opens it records what for: an apply what it pins, a look that somebody looked.
 */
export async function listUpstream(
  ports: ListPorts,
  home: { readonly tenant: string; readonly credentials: ReadonlyMap<string, CredentialDocument> },
  command: OperatorCommand | null,
  document: UpstreamDocument,
): Promise<{ readonly definitions: readonly Definition[] } | NotListed> {
  let secret: string | null = null;
  try {
    // A secret that was never set is no hindrance here: listing may not need it, and calls are refused without it.
    if (document.credential !== undefined) secret = (await readSecretValue(ports, home.tenant, document.credential))?.value ?? null;
  } catch {
    return { cause: 'has a secret that cannot be opened', remedy: `Set it again: taskgate credential set ${document.credential}` };
  }
  const parts = { upstreams: new Map([[document.name, { document, command }]]), credentials: home.credentials };
  const target = upstreamTarget(parts, document.name, secret);
  return listTarget(ports.upstreams, home.tenant, document.name, target);
}

/** The same for a place that no document names yet. */
export async function listTarget(
  upstreams: UpstreamPool,
  tenant: string,
  name: string,
  target: UpstreamTarget,
): Promise<{ readonly definitions: readonly Definition[] } | NotListed> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UpstreamUnavailable('no answer in time')), patienceMs);
  });
  // Never shared: whoever is done first would close it for the other.
  const listing = list(upstreams, listingKey(tenant, name, String(listings++)), target);
  try {
    return { definitions: await Promise.race([listing, late]) };
  } catch (error) {
    listing.catch(() => undefined);
    if (!(error instanceof UpstreamUnavailable)) throw error;
    const remedy = target.type === 'stdio' ? 'Run its command by hand to see what is wrong' : 'Check that it runs and that `egress` allows its host and port';
    return { cause: `does not answer: ${error.message.slice(0, 200)}`, remedy };
  } finally {
    clearTimeout(timer);
  }
}

async function list(upstreams: UpstreamPool, key: string, target: UpstreamTarget): Promise<readonly Definition[]> {
  const connection = await upstreams.connect(key, target);
  try {
    return await connection.definitions();
  } finally {
    await connection.close();
  }
}
