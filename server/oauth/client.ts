import { isRefusal } from '../call/refusals.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { type Orchestrator, verifyClient, verifyWorkload, type Workload } from '../identity/index.ts';
import type { Form } from '../identity/read-form.ts';
import type { Ports } from '../ports.ts';
import { type OAuthError, oauthError, unprovenClient, unprovenGrant } from './answers.ts';

export const assertionTypes = {
  jwt: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  spiffe: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
} as const;

/** What is wrong with the shape of a client assertion, before anybody is looked up; null when nothing is. */
export function assertionProblem(form: Form): OAuthError | null {
  const { client_assertion: assertion, client_assertion_type: type } = form;
  if (assertion === undefined && type === undefined) return null;
  if (assertion === undefined || type === undefined) return oauthError('invalid_request', 'client_assertion and client_assertion_type come together.');
  const known: readonly string[] = Object.values(assertionTypes);
  return known.includes(type) ? null : oauthError('invalid_request', 'This client_assertion_type is not supported.');
}

/** The client that its assertion proves (RFC 7521 §4.2): an agent's workload or an orchestrator. */
export async function authenticateClient(ports: Ports, snapshot: TenantSnapshot | null, form: Form): Promise<Workload | Orchestrator | OAuthError> {
  const { client_assertion: assertion, client_assertion_type: type, client_id: id } = form;
  if (assertion === undefined) return unprovenClient('no client assertion');
  if (!snapshot) return unprovenClient('unknown tenant');
  const client = await verifyClient(ports, snapshot, assertion);
  if (isRefusal(client)) return unprovenClient(client.detail);
  if (type === assertionTypes.spiffe && !(client.kind === 'agent' && client.identity.startsWith('spiffe://'))) return unprovenClient('not a SPIFFE workload');
  if (id !== undefined && !namesOf(client).includes(id)) return unprovenClient('client_id is another');
  return (await tooMuchOf(ports, snapshot, namesOf(client)[0] ?? '')) ?? client;
}

/** Counts what whoever has proven who they are asks of this door: strangers count against nobody. */
export async function tooMuchOf(ports: Ports, { tenant }: TenantSnapshot, client: string): Promise<OAuthError | null> {
  const tooMuch = ports.limits.countToken(tenant, client);
  if (!tooMuch) return null;
  await ports.access.known({ tenant, actor: client, door: 'token', code: tooMuch.refused });
  return { ...oauthError('slow_down', tooMuch.message), retryAfter: tooMuch.retryAfter ?? 1 };
}

/** The agent whose workload JWT a grant carries. */
export async function proveActor(ports: Ports, snapshot: TenantSnapshot | null, jwt: string): Promise<Workload | OAuthError> {
  if (!snapshot) return unprovenGrant('unknown tenant');
  const actor = await verifyWorkload(ports, snapshot, jwt);
  if (isRefusal(actor)) return unprovenGrant(actor.detail);
  return (await tooMuchOf(ports, snapshot, actor.identity)) ?? actor;
}

const namesOf = (client: Workload | Orchestrator): readonly string[] => (client.kind === 'agent' ? [client.identity, client.agent.name] : [client.name]);
