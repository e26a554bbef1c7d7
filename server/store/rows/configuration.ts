import type { Definition } from '../../../tools/index.ts';
import type { RecordBody } from '../../audit/record.ts';
import type { Kind, TaskgateDocument } from '../../documents/kinds.ts';
import type { NotificationEvent } from '../../notifications/event.ts';
import type { ChangeApproval, ChangeRow, NewChange } from './changes.ts';
import type { SessionGrant } from './sessions.ts';

/** A tenant's configuration, and what makes it another. */

export interface StoredDocument {
  readonly kind: Kind;
  readonly name: string;
  readonly body: TaskgateDocument;
  /** Where it was read from, for messages; relative paths in it are already absolute. */
  readonly source: string;
}

export interface PolicyText {
  readonly file: string;
  readonly text: string;
  /** Content of the `*.cases.yaml` beside it; null when there is none. */
  readonly cases: string | null;
}

export interface Pin {
  readonly upstream: string;
  readonly tool: string;
  readonly definition: Definition;
  readonly digest: string;
}

/** A tool that its upstream does not offer as it was pinned: refused and not listed until an admin has accepted what it is now. */
export interface Quarantined {
  readonly upstream: string;
  /** The upstream's own name of it. */
  readonly tool: string;
  /** `new`: offered since the upstream was pinned and never registered, so there is nothing to refuse. */
  readonly change: 'changed' | 'vanished' | 'new';
  /** The digest of the pin it is about; null when it is new. */
  readonly pinned: string | null;
  /** The digest of what was seen; null when there is none. */
  readonly seen: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A use case's globs, expanded when it was applied: what its sessions may at most be granted. */
export interface ExpandedUseCase {
  readonly name: string;
  readonly grants: readonly SessionGrant[];
}

export interface TenantConfiguration {
  readonly tenant: string;
  readonly revision: number;
  readonly documents: readonly StoredDocument[];
  readonly policies: readonly PolicyText[];
  readonly pins: readonly Pin[];
  readonly useCases: readonly ExpandedUseCase[];
  /** Held since it was seen; absent is none. What was stored by an earlier version lists nothing here: it refuses at the call. */
  readonly quarantine?: readonly Quarantined[];
  /** By upstream, the keys of all it offered when it was last pinned, single resources aside; absent when it was stored by an earlier version. */
  readonly offered?: Readonly<Record<string, readonly string[]>>;
  /** `vetDigest` of the law that was compiled apart and whose cases held; absent when it was stored by an earlier version. */
  readonly vetted?: string | null;
}

/** The operator's document and every tenant's next configuration; one transaction, all or nothing. */
export interface ConfigurationChange {
  readonly platform: StoredDocument | null;
  readonly tenants: readonly {
    /** 0 for a tenant that is new. */
    readonly expectedRevision: number;
    readonly next: Omit<TenantConfiguration, 'revision'>;
    readonly records: readonly RecordBody[];
    /** What people are told of it. */
    readonly events?: readonly NotificationEvent[];
  }[];
  /** For the platform log: a change of the operator's document belongs to no tenant. */
  readonly platformRecords?: readonly RecordBody[];
  /** What is held back of it, each planned on the tenant's revision as this leaves it. */
  readonly requests?: readonly NewChange[];
  /** The approval this rests on. */
  readonly approval?: ChangeApproval;
}

export type ConfigurationAnswer =
  | { readonly applied: true; readonly revisions: Readonly<Record<string, number>>; readonly waiting: readonly ChangeRow[] }
  /** The tenant whose revision had moved on, or in which too much waits already, or whose change was not to be approved any more. */
  | { readonly applied: false; readonly moved: string; readonly why: 'revision' | 'too_many' | 'not_pending' };
