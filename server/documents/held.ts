import type { PolicyText, StoredDocument } from '../store/store.ts';
import type { Kind } from './kinds.ts';
import { documentKey, type NextConfiguration, nextTenant, type StoredState } from './merge.ts';

/** Documents and policies of one tenant that wait, as they were applied; the operator's document may be among them. */
export interface HeldDocuments {
  readonly documents: readonly StoredDocument[];
  readonly policies: readonly PolicyText[];
  readonly removed: readonly { readonly kind: Kind; readonly name: string }[];
  readonly removed_policies: readonly string[];
}

/** Lays what was held back over the store as it is now. */
export function layHeld(stored: StoredState, tenant: string, held: HeldDocuments): NextConfiguration {
  const platformDocument = held.documents.find(({ kind }) => kind === 'Platform') ?? stored.platform;
  const tenants = stored.tenants.map((had) => {
    const documents = new Map(had.documents.map((document) => [documentKey(document), document]));
    const policies = new Map(had.policies.map((policy) => [policy.file, { ...policy, source: policy.file }]));
    if (had.tenant === tenant) {
      for (const document of held.documents) if (document.kind !== 'Platform') documents.set(documentKey(document), document);
      for (const gone of held.removed) documents.delete(documentKey(gone));
      for (const policy of held.policies) policies.set(policy.file, { ...policy, source: policy.file });
      for (const file of held.removed_policies) policies.delete(file);
    }
    return nextTenant(had.tenant, had, had.tenant === tenant, documents, policies);
  });
  const platform = platformDocument?.body.kind === 'Platform' ? platformDocument.body : null;
  return { storedPlatform: stored.platform, platformDocument, platform, tenants };
}
