/** Browsers of people. */

/** A browser logged in at the console. */
export interface ConsoleSession {
  readonly tenant: string;
  /** SHA-256, hex, of the secret the browser holds: all that is ever stored of it. */
  readonly hash: string;
  /** `<issuer>#<subject>`. */
  readonly person: string;
  readonly loggedInAt: number;
  /** When the issuer last asked who they are; null when it does not say. */
  readonly provedAt: number | null;
  /** Groups the issuer stated at the login, where a trust root goes by that. */
  readonly claimedGroups: readonly string[];
  readonly expiresAt: number;
}

/** Good for one login at the console. */
export interface ConsoleLink {
  readonly tenant: string;
  readonly hash: string;
  readonly person: string;
  readonly madeAt: number;
  readonly expiresAt: number;
}
