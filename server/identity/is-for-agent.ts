import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Login } from './verify-person.ts';

/**
 * A login that names an agent or a task, or was issued to or for an agent's client, passes through the agent's side: it
 * sponsors, and never opens a door of people, where its holder could approve.
 */
export function isForAgent(snapshot: Pick<TenantSnapshot, 'agents'>, login: Login): boolean {
  const clients = [...snapshot.agents.values()].flatMap((agent) => agent.clients);
  const parties = [login.authorizedParty, ...login.audiences];
  return login.mayAct !== null || login.authorizationDetails !== null || parties.some((party) => party !== null && clients.includes(party));
}
