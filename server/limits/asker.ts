/** Who is counted: taken from a verified token alone, never from what a request says. */
export interface Asker {
  readonly tenant: string;
  readonly agent: string;
  /** The session, or the connection token, whichever session it has opened. */
  readonly session: string;
}

/** What a proven caller and a proven connection have that tells them apart. */
type Proven =
  | { readonly tenant: string; readonly agent: string; readonly session: string; readonly tokenId: string }
  | { readonly tenant: string; readonly agent: string; readonly hash: string };

/** A connection token is counted as itself, before, in and after the sessions it opens: opening another gives no new share. */
export function askerOf(who: Proven): Asker {
  const { tenant, agent } = who;
  if ('hash' in who) return { tenant, agent, session: connectionId(who.hash) };
  return { tenant, agent, session: who.tokenId.startsWith(connection) ? who.tokenId : who.session };
}

const connection = 'connection/';
/** What a connection is called where its token's hash may not stand. */
export const connectionId = (hash: string): string => `${connection}${hash.slice(0, 16)}`;
