import type { Logger } from 'pino';
import { compilePolicy, EngineTrap, type PolicySource, type TenantPolicy, vetDigest, vetPolicy } from '../../policies/index.ts';
import { type BrokeredTool, makeCatalogue } from '../../tools/index.ts';
import type { Store, TenantConfiguration } from '../store/store.ts';
import { commandFor, documentsOf } from './configuration.ts';
import { heldTools } from './drift.ts';
import type { PlatformDocument } from './kinds.ts';
import { policySource } from './policy-source.ts';
import type { TenantSnapshot, Tenants } from './snapshot.ts';

/** A stored configuration that does not compile any more: nothing may be judged under it, so every call is denied. */
export class BrokenConfiguration extends Error {
  override readonly name = 'BrokenConfiguration';
}

/** One that failed this often is left alone: for good when it ended the policy engine, else for a minute. */
const mostFailures = 2;
const leftAloneMs = 60_000;

interface Failure {
  readonly revision: number;
  readonly times: number;
  readonly error: unknown;
  readonly until: number;
}

/** Snapshots of the tenants' configuration, one in memory per tenant; concurrent callers share one compilation. */
export function createTenants(store: Store, log: Pick<Logger, 'error' | 'info'>): Tenants {
  const ready = new Map<string, TenantSnapshot>();
  const underway = new Map<string, Promise<TenantSnapshot | null>>();
  const failures = new Map<string, Failure>();

  // What no call will be judged under any more need not wait in memory for the next one.
  store.subscribe((told) => {
    if (told.kind === 'configuration') void forgetOld(told.tenant).catch(() => undefined);
  }, 'idle');
  const forgetOld = async (tenant: string): Promise<void> => {
    const cached = ready.get(tenant);
    if (cached && (await store.readRevision(tenant)) !== cached.revision && ready.get(tenant) === cached) ready.delete(tenant);
  };

  const current = async (tenant: string): Promise<TenantSnapshot | null> => {
    const revision = await store.readRevision(tenant);
    if (revision === null) return null;
    const cached = ready.get(tenant);
    if (cached?.revision === revision) return cached;
    const failure = failures.get(tenant);
    if (failure?.revision === revision && failure.times >= mostFailures && performance.now() < failure.until) throw failure.error;
    const key = `${tenant}/${revision}`;
    const running = underway.get(key) ?? load(tenant).finally(() => underway.delete(key));
    underway.set(key, running);
    return running;
  };

  const load = async (tenant: string): Promise<TenantSnapshot | null> => {
    const read = await readConsistently(store, tenant);
    if (read === null) return null;
    const began = performance.now();
    const { revision } = read.configuration;
    const snapshot = await compile(read.configuration, read.platform).catch((error: unknown) => {
      const before = failures.get(tenant);
      const times = before?.revision === revision ? before.times + 1 : 1;
      failures.set(tenant, { revision, times, error, until: error instanceof EngineTrap ? Number.POSITIVE_INFINITY : performance.now() + leftAloneMs });
      log.error({ err: error, tenant, revision, times }, 'the stored configuration does not compile; every call of this tenant is denied');
      throw error;
    });
    failures.delete(tenant);
    // A slower compilation of an older revision must not replace a newer one.
    if ((ready.get(tenant)?.revision ?? -1) < snapshot.revision) ready.set(tenant, snapshot);
    log.info({ tenant, revision: snapshot.revision, tools: snapshot.tools.size, ms: Math.round(performance.now() - began) }, 'configuration compiled');
    return snapshot;
  };

  return {
    current,
    async at(tenant, revision) {
      const known = ready.get(tenant);
      if (known?.revision === revision) return known;
      const snapshot = await current(tenant);
      return snapshot?.revision === revision ? snapshot : null;
    },
  };
}

/** The tenant's configuration and the operator's document as they were together: whatever changes the one for a tenant moves its revision. */
async function readConsistently(store: Store, tenant: string): Promise<{ configuration: TenantConfiguration; platform: PlatformDocument | null } | null> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const configuration = await store.readConfiguration(tenant);
    if (configuration === null) return null;
    const platform = (await store.readPlatform())?.body ?? null;
    if ((await store.readRevision(tenant)) === configuration.revision) return { configuration, platform: platform?.kind === 'Platform' ? platform : null };
  }
  throw new BrokenConfiguration(`the configuration of ${tenant} changes faster than it can be read`);
}

/** Builds what calls are judged under. Rejects with `BrokenConfiguration` when any part of it does not hold. */
export async function compile(configuration: TenantConfiguration, platform: PlatformDocument | null): Promise<TenantSnapshot> {
  const { tenant } = configuration;
  const documents = documentsOf(configuration.documents);
  const document = documents.tenant;
  const own = platform !== null && Object.hasOwn(platform.tenants, tenant) ? platform.tenants[tenant] : undefined;
  if (!document || !own) throw new BrokenConfiguration(`${tenant} has no ${document ? 'trust of the operator' : 'Tenant document'}`);

  const tools = new Map<string, BrokeredTool>();
  for (const upstream of documents.upstreams.values()) {
    const { tools: made, problems } = makeCatalogue(
      upstream,
      configuration.pins.filter((pin) => pin.upstream === upstream.name),
    );
    if (problems[0]) throw new BrokenConfiguration(`${upstream.name}: ${problems[0].manifest.name}: ${problems[0].cause}`);
    for (const tool of made) tools.set(tool.name, tool);
  }
  const source = policySource(tenant, configuration.policies, tools.values(), documents.useCases.values(), documents.agents.values());
  const policy = await lawOf(source, configuration.vetted ?? null);

  const expanded = new Map(configuration.useCases.map((one) => [one.name, one.grants]));
  return {
    tenant,
    revision: configuration.revision,
    document,
    trust: own.trust,
    agents: documents.agents,
    // A use case without its expansion grants nothing.
    useCases: new Map([...documents.useCases].map(([name, useCase]) => [name, { document: useCase, grants: expanded.get(name) ?? [] }])),
    upstreams: new Map([...documents.upstreams].map(([name, upstream]) => [name, { document: upstream, command: commandFor(platform, tenant, upstream) }])),
    credentials: documents.credentials,
    channels: documents.channels,
    channelEgress: own.notifications?.egress ?? [],
    quarantined: heldTools(tools.values(), configuration.quarantine ?? []),
    clientEgress: own.client_documents?.egress ?? [],
    tools: new Map([...tools].sort(([a], [b]) => (a < b ? -1 : 1))),
    policy,
  };
}

/** The live engine is given only what a throw-away process has compiled whole: when it was applied, or now. */
async function lawOf(source: PolicySource, vetted: string | null): Promise<TenantPolicy> {
  const apart = vetDigest(source) === vetted ? [] : await vetPolicy(source);
  const compiled = apart.length > 0 ? { problems: apart } : await compilePolicy(source);
  if ('policy' in compiled) return compiled.policy;
  throw new BrokenConfiguration(`policies of ${source.tenant}: ${compiled.problems.map(({ file, cause }) => `${file}: ${cause}`).join('; ')}`);
}
