import type { RecordBody } from '../../audit/record.ts';

/** The store as a whole. */

/** Where a chain ends: its last record. */
export interface ChainHead {
  /** Null for the platform log. */
  readonly tenant: string | null;
  readonly index: number;
  readonly hash: string;
}

/** Which store this is and how far it has come. */
export interface StoreState {
  readonly store: string;
  /** Grows whenever what may have run ahead of the store is cut off. */
  readonly epoch: number;
  /** Epoch milliseconds at which that was done; 0 when it never was. */
  readonly epochAt: number;
  /** Of every chain that has a record. */
  readonly heads: readonly ChainHead[];
}

/** Cuts off whatever may have run ahead of the store: one transaction for all tenants. */
export interface NewEpoch {
  /** The epoch that was found; when it is another by now, nothing is done. */
  readonly found: number;
  readonly next: number;
  readonly at: number;
  /** Stands as code on the record of everything that ends by it. */
  readonly reason: 'restored' | 'behind_anchor' | 'accepted';
  /** The record that says so in a chain; null is the platform log. */
  recordFor(tenant: string | null): RecordBody;
}

export interface Page {
  readonly after: string | null;
  readonly limit: number;
}
