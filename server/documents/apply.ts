import { newChange, waitsMs } from '../changes/new-change.ts';
import type { Ports } from '../ports.ts';
import type { ChangeRow, ConfigurationChange, Store } from '../store/store.ts';
import { changeOf } from './configuration-change.ts';
import { same } from './effects.ts';
import { type AppliedBy, type Held, holdBack, takesEffect } from './hold-back.ts';
import type { TenantDocument } from './kinds.ts';
import { merge, type StoredState } from './merge.ts';
import type { Plan, PlanItem } from './plan.ts';
import { prepareNext } from './prepare-next.ts';
import { type DocumentProblem, type Loaded, problemAt } from './problems.ts';

type ApplyPorts = Pick<Ports, 'store' | 'upstreams' | 'clock' | 'log' | 'keys' | 'newId'>;

export interface ApplyOptions {
  /** `<issuer>#<subject>` of who applies, or `operator` at start. */
  readonly by: string;
  readonly applier: AppliedBy;
  /** Why; approvers of what waits read it. */
  readonly reason: string | null;
  /** Remove what the files no longer have, from the tenants they are about. */
  readonly prune: boolean;
  readonly dryRun: boolean;
  /** Whether the operator's document may be changed. */
  readonly platform: 'allowed' | 'refused';
  /** Only these may be touched; every tenant when left out. */
  readonly tenants?: readonly string[];
}

export interface Applied {
  readonly ok: true;
  /** All of it, what takes effect at once and what waits. */
  readonly plan: Plan;
  /** Something took effect. */
  readonly applied: boolean;
  /** Items of the plan that another admin has to approve. */
  readonly waits: readonly PlanItem[];
  /** The changes they wait as; none when it was only planned. */
  readonly waiting: readonly ChangeRow[];
}
export type ApplyAnswer = Applied | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

const queues = new WeakMap<Store, Promise<unknown>>();
const attempts = 5;

/** What changes the configuration of one store is done one after the other: an identity is unique across tenants, which no tenant's revision guards. */
export function inTurn<T>(store: Store, work: () => Promise<T>): Promise<T> {
  const turn = (queues.get(store) ?? Promise.resolve()).then(work);
  queues.set(
    store,
    turn.catch(() => undefined),
  );
  return turn;
}

/**
 * Checks all documents against the store and each other, lists what is new, and applies in one transaction with its record what needs
 * nobody else, and keeps what widens as changes that wait for another admin; or does nothing. Rejects with `StoreUnavailable`.
 */
export const applyDocuments = (ports: ApplyPorts, loaded: Loaded, options: ApplyOptions): Promise<ApplyAnswer> =>
  inTurn(ports.store, () => applyInTurn(ports, loaded, options));

async function applyInTurn(ports: ApplyPorts, loaded: Loaded, options: ApplyOptions): Promise<ApplyAnswer> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const stored = await readStored(ports.store);
    const refused = [...loaded.problems, ...beyondReach(stored, loaded, options)];
    if (refused.length > 0) return { ok: false, problems: refused };
    const prepared = await prepareNext(ports, merge(stored, loaded, options.prune));
    if ('problems' in prepared) return { ok: false, problems: prepared.problems };
    const { plan } = prepared;
    const split = await holdBack(ports, stored, prepared, options.applier);
    if ('problems' in split) return { ok: false, problems: split.problems };
    const { now, waits, held } = split;
    if (options.dryRun || plan.items.length === 0) return { ok: true, plan, applied: false, waits, waiting: [] };
    const nothing: ConfigurationChange = { platform: null, tenants: [] };
    const change = now ? changeOf(now, options.by, ports.clock()) : nothing;
    const answer = await ports.store.applyConfiguration({
      ...change,
      requests: held.map((one) => requestOf(ports, one, options, waitsMs(tenantOf(stored, one.tenant)))),
    });
    if (answer.applied) return { ok: true, plan, applied: takesEffect(plan, waits), waits, waiting: answer.waiting };
    if (answer.why === 'too_many') return { ok: false, problems: [tooMany(answer.moved)] };
    ports.log.info({ tenant: answer.moved }, 'the configuration moved on while it was being applied; looking again');
  }
  return { ok: false, problems: [{ file: '', line: null, path: '', cause: 'The configuration keeps changing', remedy: 'Apply again when nobody else does' }] };
}

const requestOf = (ports: ApplyPorts, { tenant, needs, documents, planned }: Held, { by, reason }: ApplyOptions, waits: number) =>
  newChange(ports, { tenant, author: by, needs, reason, payload: { kind: 'documents', ...documents }, planned, waits });

function tenantOf(stored: StoredState, tenant: string): TenantDocument | null {
  const bodies = stored.tenants.find((one) => one.tenant === tenant)?.documents.map(({ body }) => body) ?? [];
  return bodies.find((body): body is TenantDocument => body.kind === 'Tenant') ?? null;
}

const tooMany = (tenant: string): DocumentProblem => ({
  ...{ file: '', line: null, path: '', cause: `Too many changes of ${tenant} wait for a second admin already` },
  remedy: 'Approve or reject some: `npx taskgate change list`',
});

export async function readStored(store: Store): Promise<StoredState> {
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
