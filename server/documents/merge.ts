import type { PolicyText, StoredDocument, TenantConfiguration } from '../store/store.ts';
import { documentsOf, type TenantDocuments } from './configuration.ts';
import { same } from './effects.ts';
import type { PlatformDocument } from './kinds.ts';
import type { Loaded, Located } from './problems.ts';

/** What a tenant would have after the apply. */
export interface NextTenant {
  readonly tenant: string;
  /** Null when the tenant is founded by this apply. */
  readonly stored: TenantConfiguration | null;
  /** Some file of this apply is about it. */
  readonly touched: boolean;
  readonly documents: readonly Located[];
  readonly policies: readonly (PolicyText & { readonly source: string })[];
  readonly byKind: TenantDocuments;
  /** Upstreams whose changed document waits: their pins stay as they are, and what they list meanwhile is looked at when it is approved. */
  readonly waiting: ReadonlySet<string>;
  /** Tools of one upstream whose definitions are taken as they are now, each by the digest that was looked at. */
  readonly accepting?: { readonly upstream: string; readonly tools: ReadonlyMap<string, string> };
}

export interface NextConfiguration {
  readonly storedPlatform: StoredDocument | null;
  readonly platformDocument: Located | null;
  readonly platform: PlatformDocument | null;
  /** Sorted by name. */
  readonly tenants: readonly NextTenant[];
}

export const platformChanges = ({ storedPlatform, platformDocument }: NextConfiguration): boolean => !same(storedPlatform?.body, platformDocument?.body);

export interface StoredState {
  readonly platform: StoredDocument | null;
  readonly tenants: readonly TenantConfiguration[];
}

/** Lays the files over the store. What only the store has stays, unless `prune`: then it goes from the tenants the files are about. */
export function merge(stored: StoredState, loaded: Loaded, prune: boolean): NextConfiguration {
  const before = new Map(stored.tenants.map((one) => [one.tenant, one]));
  const touched = new Set([...loaded.documents.flatMap(({ tenant }) => tenant ?? []), ...loaded.policies.map(({ tenant }) => tenant)]);
  const platformDocument = loaded.documents.find(({ kind }) => kind === 'Platform') ?? stored.platform;
  const tenants = [...new Set([...before.keys(), ...touched])].sort().map((tenant): NextTenant => {
    const had = before.get(tenant) ?? null;
    const keep = prune && touched.has(tenant) ? null : had;
    const documents = new Map<string, Located>((keep?.documents ?? []).map((document) => [documentKey(document), document]));
    for (const document of loaded.documents) if (document.tenant === tenant) documents.set(documentKey(document), document);
    const policies = new Map((keep?.policies ?? []).map((policy) => [policy.file, { ...policy, source: policy.file }]));
    for (const { file, text, cases, source, ...policy } of loaded.policies) if (policy.tenant === tenant) policies.set(file, { file, text, cases, source });
    return nextTenant(tenant, had, touched.has(tenant), documents, policies);
  });
  const platform = platformDocument?.body.kind === 'Platform' ? platformDocument.body : null;
  return { storedPlatform: stored.platform, platformDocument, platform, tenants };
}

export const documentKey = ({ kind, name }: Pick<StoredDocument, 'kind' | 'name'>): string => `${kind}/${name}`;

/** Documents by their key and policies by their file, as they will be. */
export function nextTenant(
  tenant: string,
  stored: TenantConfiguration | null,
  touched: boolean,
  documents: ReadonlyMap<string, Located>,
  policies: ReadonlyMap<string, NextTenant['policies'][number]>,
  waiting: ReadonlySet<string> = new Set(),
): NextTenant {
  // Their order is kept: cases that name no agent are about the first one that fits.
  const next = [...documents.values()];
  return {
    tenant,
    stored,
    touched,
    documents: next,
    policies: [...policies.values()].sort((a, b) => (a.file < b.file ? -1 : 1)),
    byKind: documentsOf(next),
    waiting,
  };
}

/** One person, exempt from the second admin: by what is in force, or at its founding. Becoming so is a change like any other. */
export function isPersonal({ stored, byKind }: NextTenant): boolean {
  const document = stored === null ? byKind.tenant : documentsOf(stored.documents).tenant;
  return document?.personal ?? false;
}
