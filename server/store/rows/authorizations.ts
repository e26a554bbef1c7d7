import type { RecordBody } from '../../audit/record.ts';

/** What a sponsor's consent gave an interactive host. */

/** A code a sponsor consented to; `content` says to what, and is forgotten once it is used. */
export interface AuthorizationCode {
  readonly tenant: string;
  /** SHA-256, hex: all that is ever stored of the code. */
  readonly hash: string;
  readonly content: string;
  readonly madeAt: number;
  readonly expiresAt: number;
  /** The session it opened; null while it opened none. */
  readonly session: string | null;
}

/** What a session is opened with: the code is used up and the refresh token kept with it, or neither. */
export interface CodeGrant {
  readonly code: string;
  readonly refresh: Omit<RefreshToken, 'session' | 'usedAt'>;
}

export interface RefreshToken {
  readonly tenant: string;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly session: string;
  /** The client it was given to, and no other. */
  readonly client: string;
  /** The door whose tokens it renews (RFC 8707). */
  readonly resource: string;
  readonly madeAt: number;
  /** When another took its place; null for the newest. */
  readonly usedAt: number | null;
}

export interface AuthorizationVerbs {
  putAuthorizationCode(code: Omit<AuthorizationCode, 'session'>, record: RecordBody): Promise<void>;
  /** Also one that is past its end or used; null when it is from before the store's epoch. */
  readAuthorizationCode(tenant: string, hash: string): Promise<AuthorizationCode | null>;
  /** A code that was shown by somebody it is not for opens nothing any more. */
  burnAuthorizationCode(tenant: string, hash: string, at: number): Promise<void>;
  readRefreshToken(tenant: string, hash: string): Promise<RefreshToken | null>;
  /** Puts `next` in the place of the newest; false when another had been put there before. */
  rotateRefreshToken(tenant: string, hash: string, next: string, at: number): Promise<boolean>;
}
