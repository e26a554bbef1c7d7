import type { Signals } from './signals.ts';
import type { Verb } from './verb.ts';

/**
 * Whose rows a verb may touch. The verbs name the tenant in every key; a store with row-level security holds them to it a second
 * time. Nothing stated, nothing of any tenant.
 */
export interface Reach {
  /** Written to one after the other; no other verb writes for them meanwhile. */
  readonly tenants: readonly string[];
  /** The operator's document and the platform log. */
  readonly platform?: true;
  /** Which tenants there are and what of theirs is due; only to be read. */
  readonly everyTenant?: true;
  /** The one token with this hash, whoever's it is; only to be read. */
  readonly token?: string;
}

export interface Written<T> {
  readonly answer: T;
  /** Resolves once the answer is durable; rejects when it never will be. */
  readonly durable: Promise<void>;
}

/** What a store is made of. A verb is handed over as a function, because it may have to be run again from its start. */
export interface Engine {
  /** Resolves when it can be read and written now. */
  check(): Promise<void>;
  close(): Promise<void>;
  /** Runs a verb in a transaction, after all that were written for the same tenants; may resolve before that is committed. */
  write<T>(reach: Reach, verb: () => Verb<T>): Promise<Written<T>>;
  /** `write`, resolved only once the answer is durable. */
  commit<T>(reach: Reach, verb: () => Verb<T>): Promise<T>;
  /** One consistent view of what is committed. */
  read<T>(reach: Reach, verb: () => Verb<T>): Promise<T>;
  /** `read`, for a verb that asks no more than once: a store behind a network then answers in one exchange. */
  readOnce<T>(reach: Reach, verb: () => Verb<T>): Promise<T>;
  /** `readOnce`, also of what is committed and not yet durable: for what a transaction looks at again before anything comes of it. */
  peek<T>(reach: Reach, verb: () => Verb<T>): Promise<T>;
  readonly subscribe: Signals['subscribe'];
}
