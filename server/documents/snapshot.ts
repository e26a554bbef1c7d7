import type { TenantPolicy } from '../../policies/index.ts';
import type { BrokeredTool, CredentialDocument, UpstreamDocument } from '../../tools/index.ts';
import type { ExpandedUseCase, Quarantined } from '../store/store.ts';
import type { ChannelDocument } from './channel.ts';
import type { AgentDocument, OperatorCommand, TenantDocument, TrustRoot, UseCaseDocument } from './kinds.ts';

/** A tenant's configuration at one revision, compiled: immutable, shared by every call judged under it. */
export interface TenantSnapshot {
  readonly tenant: string;
  readonly revision: number;
  readonly document: TenantDocument;
  /** The trust roots the operator bound to it; paths in them are absolute. */
  readonly trust: readonly TrustRoot[];
  readonly agents: ReadonlyMap<string, AgentDocument>;
  readonly useCases: ReadonlyMap<string, { readonly document: UseCaseDocument; readonly grants: ExpandedUseCase['grants'] }>;
  readonly upstreams: ReadonlyMap<string, { readonly document: UpstreamDocument; readonly command: OperatorCommand | null }>;
  readonly credentials: ReadonlyMap<string, CredentialDocument>;
  readonly channels: ReadonlyMap<string, ChannelDocument>;
  /** Where the operator lets its channels connect. */
  readonly channelEgress: readonly string[];
  /** Where the operator lets documents of clients be fetched from besides public hosts. */
  readonly clientEgress: readonly string[];
  /** By brokered name, sorted. */
  readonly tools: ReadonlyMap<string, BrokeredTool>;
  /** By brokered name: what is registered and held. */
  readonly quarantined: ReadonlyMap<string, Quarantined>;
  readonly policy: TenantPolicy;
}

/** Finds snapshots; compiles one when the store's revision is another than the one in memory. */
export interface Tenants {
  /** The snapshot at the store's current revision; null when there is no such tenant. */
  current(tenant: string): Promise<TenantSnapshot | null>;
  /** The snapshot at exactly this revision; null when the store has moved on. */
  at(tenant: string, revision: number): Promise<TenantSnapshot | null>;
}
