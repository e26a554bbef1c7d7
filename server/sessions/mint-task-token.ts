import { type Refusal, refuse } from '../call/refusals.ts';
import { agentIdentity, type Caller, mcpUrl, type Scope, sessionUrl, signOwn, tenantIssuer, tenantMcpUrl } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import type { SessionRow } from '../store/store.ts';

const longestMs = 900_000;

/** How long a token made at `now` is good, epoch milliseconds. */
export const tokenUntil = (session: Pick<SessionRow, 'expiresAt'>, now: number): number => Math.min(now + longestMs, session.expiresAt);

/**
 * Signs a task token for one door (DESIGN: Token): at most 15 minutes, never past the session. The token says who and
 * which session; what the session may do stands in its row alone. Refused when the agent is not registered any more.
 */
export async function mintTaskToken(
  ports: Pick<Ports, 'keys' | 'config' | 'clock' | 'newId' | 'tenants'>,
  session: SessionRow,
  { door, scopes }: { readonly door: Caller['door']; readonly scopes: readonly Scope[] | null },
): Promise<{ readonly token: string; readonly audience: string; readonly expiresIn: number } | Refusal> {
  const agent = (await ports.tenants.current(session.tenant))?.agents.get(session.agent);
  if (!agent) return refuse('session.refused', 'This agent is not registered.');
  const identity = agentIdentity(agent);
  const now = ports.clock();
  const iat = Math.floor(now / 1000);
  const exp = Math.floor(tokenUntil(session, now) / 1000);
  if (exp <= iat) return refuse('session.expired', 'This task has reached its end time.');
  const audience = { mcp: mcpUrl(ports.config), session: sessionUrl(ports.config, session.id), tenant: tenantMcpUrl(ports.config, session.tenant) }[door];
  const delegated = session.mode === 'delegated';
  const token = await signOwn(ports, {
    iss: tenantIssuer(ports.config, session.tenant),
    aud: audience,
    client_id: identity,
    sub: delegated ? session.sponsor : identity,
    ...(delegated ? { act: { sub: identity } } : {}),
    mode: session.mode,
    tenant: session.tenant,
    agent: session.agent,
    person: session.sponsor,
    sid: session.id,
    task_sha256: session.taskSha256,
    jti: ports.newId('tok'),
    iat,
    exp,
    ...(scopes ? { scope: scopes.join(' ') } : {}),
    ...(session.cnf ? { cnf: session.cnf } : {}),
  });
  return { token, audience, expiresIn: exp - iat };
}
