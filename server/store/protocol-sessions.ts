/** What 2025-era clients keep of a server, and what keeps a stream open: neither is ever authority. */

/** What a client names with `Mcp-Session-Id`. */
export interface ProtocolSession {
  readonly tenant: string;
  /** SHA-256, hex, of the id: all that is ever stored of it. */
  readonly hash: string;
  /** Whose it is; anybody else is answered as if it were not there. */
  readonly holder: string;
  readonly openedAt: number;
  readonly expiresAt: number;
}

export interface ProtocolSessionVerbs {
  /** Of one holder's, only the newest `most` are kept. */
  openProtocolSession(opened: ProtocolSession, most: number): Promise<void>;
  /** Null for one that is not there, is over, or is another's. */
  readProtocolSession(tenant: string, hash: string, holder: string, at: number): Promise<ProtocolSession | null>;
  keepProtocolSession(tenant: string, hash: string, until: number): Promise<void>;
  /** Tells whoever watches `session`. False when there was none of the holder's. */
  endProtocolSession(tenant: string, hash: string, holder: string, session: string | null): Promise<boolean>;
  /** The call `request` of this protocol session is to stop, wherever it runs. Tells whoever watches `session`. */
  cancelCall(tenant: string, hash: string, request: string, at: number, session: string | null): Promise<void>;
  isCancelled(tenant: string, hash: string, request: string): Promise<boolean>;
}
