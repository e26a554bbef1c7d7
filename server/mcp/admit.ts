import { isRefusal, type Refusal, type Session } from '../call/index.ts';
import type { Config } from '../config.ts';
import { type Caller, type Connection, type ReadHeaders, resourceMetadataUrl, takeProof } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { StoreUnavailable } from '../store/store.ts';
import { unavailable } from './answers.ts';
import type { Door, Parts, Visit } from './parts.ts';

/** What of the address says whose door it is. */
export interface Address {
  readonly session: string | null;
  readonly tenant: string | null;
}

/** Which door a request stands at. An id that names no session is answered like one that is not the caller's. */
export function doorOf(config: Config, { session, tenant }: Address, headers: ReadHeaders): Door {
  return {
    kind: session !== null ? 'session' : tenant !== null ? 'tenant' : 'mcp',
    session,
    tenant,
    // Whatever stands in the path goes into a header: encoded, it holds neither quote nor line break.
    metadata: () => resourceMetadataUrl(config, { session: session && encodeURIComponent(session), tenant: tenant && encodeURIComponent(tenant) }),
    presented: Boolean(headers.get('authorization')),
  };
}

/** Who asks, by the token and the proof of its key alone: known before anything else of a request is read. */
export async function identify(ports: Ports, parts: Parts, door: Door, headers: ReadHeaders, method = ''): Promise<Caller | Connection | Refusal> {
  try {
    const shown = { authorization: headers.get('authorization'), proof: headers.get('dpop'), method };
    const who = await parts.authenticate(ports, { ...shown, door: door.kind, session: door.session, tenant: door.tenant });
    // A client that looks for the door sends no token at first.
    if (!isRefusal(who) || who.refused === 'token.missing') return who;
    if (who.whose) return recorded(ports, door, who.whose, who);
    await ports.access.stranger(door.kind, who.refused, who.detail);
    return who;
  } catch (error) {
    return failed(ports, error);
  }
}

/** One record of the first, and one a minute that says how many there were since. */
export function recordLimit(ports: Ports, door: Door, who: Caller | Connection, { refused, detail }: Refusal): Promise<void> {
  const by = 'hash' in who ? { actor: who.createdBy } : { actor: who.session, session: who.session, sponsor: who.sponsor };
  const said = detail === null ? {} : { detail };
  return ports.access.known({ type: 'call.refused', tenant: who.tenant, agent: who.agent, ...by, door: door.kind, code: refused, ...said });
}

/** For which live task: read anew for every request, before any protocol machinery sees it. `bodyBytes`: what the request weighs. */
export async function admit(ports: Ports, parts: Parts, door: Door, who: Caller | Connection, bodyBytes = 0): Promise<Visit | Refusal> {
  try {
    const visit = { ports, parts, door, stopped: null, who, bodyBytes };
    if (!('hash' in who)) {
      // The session is read while its caller's proof is taken: neither waits for the other, and both must hold.
      const [session, replayed] = who.proof
        ? await Promise.all([parts.enterSession(ports, who), takeProof(ports, who.proof, ports.clock())])
        : [await parts.enterSession(ports, who), null];
      if (replayed) return recorded(ports, door, who, replayed);
      return isRefusal(session)
        ? recorded(ports, door, who, session)
        : { ...visit, caller: proven(who), session, until: endOf(who, session), connection: null };
    }
    const idle = { ...visit, caller: null, session: null, until: ports.clock(), connection: who };
    const row = await ports.store.sessionOfConnection(who.tenant, who.hash);
    if (!row) return idle;
    const caller = parts.callerOfConnection(who, row);
    const session = await parts.enterSession(ports, caller);
    if (!isRefusal(session)) return { ...visit, caller, session, until: endOf(caller, session), connection: who };
    // The token outlives the task it opened; only what stops the agent itself closes the door.
    return session.refused.startsWith('session.') ? { ...idle, stopped: session } : recorded(ports, door, caller, session);
  } catch (error) {
    return failed(ports, error);
  }
}

/** Its proof is taken: what else is done for the caller, as long as a stream is open, rests on it. */
function proven(who: Caller): Caller {
  if (!who.proof) return who;
  const { proof: _, ...caller } = who;
  return caller;
}

function failed(ports: Ports, error: unknown): Refusal {
  if (!(error instanceof StoreUnavailable)) ports.log.error({ err: error }, 'admission failed unexpectedly');
  return unavailable();
}

async function recorded(ports: Ports, door: Door, { tenant, agent, session, sponsor }: NonNullable<Refusal['whose']>, refusal: Refusal): Promise<Refusal> {
  const said = refusal.refused === 'token.unproven' && refusal.detail !== null ? { detail: refusal.detail } : {};
  await ports.access.known({ type: 'call.refused', tenant, actor: session, agent, session, sponsor, door: door.kind, code: refusal.refused, ...said });
  return refusal;
}

/** What is refused before the call path, which records its own ways out: Taskgate's own tools, and calls outside any task. */
export async function recordAtDoor({ ports, caller, connection, door }: Visit, tool: string, code: string): Promise<void> {
  const about = { type: 'call.refused' as const, tool: tool.slice(0, 128), door: door.kind, code };
  if (caller) await ports.access.known({ ...about, tenant: caller.tenant, actor: caller.session, agent: caller.agent, session: caller.session });
  else if (connection) await ports.access.known({ ...about, tenant: connection.tenant, actor: connection.createdBy, agent: connection.agent });
}

/** Neither the token nor the session is good for longer. */
const endOf = (caller: Caller, { row }: Session): number => Math.min(caller.tokenExpires * 1000, row.expiresAt);

/** Whose requests belong together: one agent in one session, or a connection token before it has one. */
export const whoOf = ({ caller, connection }: Visit): string =>
  JSON.stringify(caller ? [caller.tenant, caller.session, caller.agent] : [connection?.tenant, connection?.hash]);
