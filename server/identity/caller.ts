import type { Proof } from './proof.ts';
import type { Scope } from './scopes.ts';

/** Who asks, proven by a key or a token, at one of the doors. Evidence: made only by `server/identity`. */
declare const caller: unique symbol;

/** An agent inside its session, proven by a task token of Taskgate's own. */
export interface Caller {
  readonly [caller]: true;
  readonly tenant: string;
  /** The agent's document name. */
  readonly agent: string;
  readonly session: string;
  /** `<issuer>#<subject>` of the sponsor, or of the accountable person. */
  readonly sponsor: string;
  readonly taskSha256: string;
  /** The token is bound to a key the caller proved. */
  readonly bound: boolean;
  /** What its proof is remembered by, to be taken before anything is done for the request; absent for a bearer. */
  readonly proof?: Proof;
  readonly tokenId: string;
  /** Epoch seconds. */
  readonly tokenExpires: number;
  /** What the token was narrowed to; absent when it may do all that its session may. */
  readonly scopes?: readonly Scope[];
  readonly door: 'session' | 'mcp' | 'tenant';
}

/** A person of a tenant, proven by the tenant's issuer; roles and groups are read from the snapshot when used. */
export interface Person {
  readonly tenant: string;
  /** `<issuer>#<subject>`. */
  readonly id: string;
  /** Their name in the tenant document; null when the document does not name them. */
  readonly name: string | null;
  /** When they last showed their issuer who they are, epoch milliseconds; absent when the issuer does not say, which is never fresh. */
  readonly loggedInAt?: number;
}

/** How long a login counts as fresh: for acts that a token left lying about must not be enough for. */
export const freshLoginMs = 5 * 60_000;

export const isFreshLogin = ({ loggedInAt }: Pick<Person, 'loggedInAt'>, now: number): boolean => loggedInAt !== undefined && now - loggedInAt <= freshLoginMs;
