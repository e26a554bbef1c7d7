import type { Ports } from '../ports.ts';
import type { Store } from '../store/store.ts';
import { changeOf } from './configuration-change.ts';
import { same } from './effects.ts';
import { merge, type StoredState } from './merge.ts';
import type { Plan } from './plan.ts';
import { prepareNext } from './prepare-next.ts';
import { type DocumentProblem, type Loaded, problemAt } from './problems.ts';

type ApplyPorts = Pick<Ports, 'store' | 'upstreams' | 'clock' | 'log' | 'keys'>;

export interface ApplyOptions {
  /** `<issuer>#<subject>` of who applies, or `operator` at start. */
  readonly by: string;
  /** Remove what the files no longer have, from the tenants they are about. */
  readonly prune: boolean;
  readonly dryRun: boolean;
  /** Whether the operator's document may be changed. */
  readonly platform: 'allowed' | 'refused';
  /** Only these may be touched; every tenant when left out. */
  readonly tenants?: readonly string[];
}

export type ApplyAnswer =
  | { readonly ok: true; readonly plan: Plan; readonly applied: boolean }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

const queues = new WeakMap<Store, Promise<unknown>>();
const attempts = 5;

/**
 * Checks all documents against the store and each other, lists what is new, and applies everything in one transaction
 * with its record, or nothing. Applies on one store run one after the other: an identity is unique across tenants, which
 * no tenant's revision guards. Rejects with `StoreUnavailable`.
 */
export function applyDocuments(ports: ApplyPorts, loaded: Loaded, options: ApplyOptions): Promise<ApplyAnswer> {
  const turn = (queues.get(ports.store) ?? Promise.resolve()).then(() => applyInTurn(ports, loaded, options));
  queues.set(
    ports.store,
    turn.catch(() => undefined),
  );
  return turn;
}

async function applyInTurn(ports: ApplyPorts, loaded: Loaded, options: ApplyOptions): Promise<ApplyAnswer> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const stored = await readStored(ports.store);
    const refused = [...loaded.problems, ...beyondReach(stored, loaded, options)];
    if (refused.length > 0) return { ok: false, problems: refused };
    const prepared = await prepareNext(ports, merge(stored, loaded, options.prune));
    if ('problems' in prepared) return { ok: false, problems: prepared.problems };
    const { plan } = prepared;
    if (options.dryRun || plan.items.length === 0) return { ok: true, plan, applied: false };
    const answer = await ports.store.applyConfiguration(changeOf(prepared, options.by, ports.clock()));
    if (answer.applied) return { ok: true, plan, applied: true };
    ports.log.info({ tenant: answer.moved }, 'the configuration moved on while it was being applied; looking again');
  }
  return { ok: false, problems: [{ file: '', line: null, path: '', cause: 'The configuration keeps changing', remedy: 'Apply again when nobody else does' }] };
}

async function readStored(store: Store): Promise<StoredState> {
  const tenants = await Promise.all((await store.listTenants()).map(({ tenant }) => store.readConfiguration(tenant)));
  return { platform: await store.readPlatform(), tenants: tenants.filter((one) => one !== null) };
}

/** What this caller may not change. Another tenant and one that does not exist are told alike. */
function beyondReach(stored: StoredState, loaded: Loaded, { platform, tenants }: ApplyOptions): DocumentProblem[] {
  const outside = (tenant: string | null): boolean => tenant !== null && tenants !== undefined && !tenants.includes(tenant);
  const notHere = (tenant: string | null): [string, string] => [`There is no tenant ${tenant} here`, 'Apply only documents of your own tenant'];
  const documents = loaded.documents.flatMap((document) => {
    if (document.kind === 'Platform' && platform === 'refused' && !same(document.body, stored.platform?.body)) {
      return [
        problemAt(
          document,
          [],
          "The operator's document may not be changed here",
          'Give it to the operator: it is applied at start, or by a person named in `operators`',
        ),
      ];
    }
    return outside(document.tenant) ? [problemAt(document, document.kind === 'Tenant' ? ['name'] : ['tenant'], ...notHere(document.tenant))] : [];
  });
  return [...documents, ...loaded.policies.filter(({ tenant }) => outside(tenant)).map((policy) => problemAt(policy, [], ...notHere(policy.tenant)))];
}
