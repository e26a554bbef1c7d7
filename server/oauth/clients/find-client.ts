import type { TenantSnapshot } from '../../documents/snapshot.ts';
import { proveAssertion, readJwt, vetKey } from '../../identity/index.ts';
import type { Form } from '../../identity/read-form.ts';
import type { Ports } from '../../ports.ts';
import { agentsOf, type Client } from './client.ts';
import { fetchClient, isDocumentAddress } from './fetch-document.ts';
import { mayGoBackTo, openRegistration } from './register-client.ts';

type Needs = Pick<Ports, 'store' | 'clock' | 'keys' | 'config'>;

/**
 * The client behind an id, or why there is none, for the log. It must be one that acts as some agent of the tenant: of any other
 * nothing is looked up, so that nobody makes the broker fetch an address of their choice.
 */
export async function findClient(ports: Needs, snapshot: TenantSnapshot, id: string): Promise<Client | string> {
  const { clients, registration } = snapshot.document;
  const dynamic = registration ? openRegistration(ports, snapshot.tenant, id) : null;
  if (dynamic && registration) {
    const redirects = dynamic.redirects.filter((one) => mayGoBackTo(registration.redirects, one));
    const client: Client = { ...dynamic, redirects };
    return agentsOf(snapshot, client).length > 0 ? client : 'no agent acts for clients that registered themselves';
  }
  const named = [...snapshot.agents.values()].some((agent) => agent.status === 'active' && agent.clients.includes(id));
  if (!named) return 'no agent names this client';
  const registered = Object.hasOwn(clients, id) ? clients[id] : undefined;
  if (registered) {
    const key = registered.jwk === undefined ? null : vetKey(registered.jwk);
    if (registered.jwk !== undefined && !key) return 'its registered key is too weak';
    return { id, kind: 'registered', name: registered.name, host: null, redirects: registered.redirects, keys: key && [key], bound: false };
  }
  return isDocumentAddress(id) ? fetchClient(ports, snapshot, id) : 'no client is registered under this name';
}

/** Proves the client at the token endpoint as it said it would: by its key, or, for a public one, by nothing but its name. */
export async function authenticateHost(ports: Needs, snapshot: TenantSnapshot, form: Form): Promise<Client | string> {
  const { client_id: named, client_assertion: assertion } = form;
  const jwt = assertion === undefined ? null : readJwt(assertion);
  const id = named ?? jwt?.claims['sub'];
  if (typeof id !== 'string') return 'no client';
  const client = await findClient(ports, snapshot, id);
  if (typeof client === 'string') return client;
  if (client.keys === null) return assertion === undefined ? client : 'a public client proves nothing';
  return (jwt ? await proveAssertion(ports, snapshot.tenant, jwt, id, client.keys) : 'no client assertion') ?? client;
}
