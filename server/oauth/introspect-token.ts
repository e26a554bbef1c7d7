import { isRefusal } from '../call/refusals.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { authenticatePerson, rolesOf, taskClaims, verifyOwn } from '../identity/index.ts';
import type { Form } from '../identity/read-form.ts';
import type { Ports } from '../ports.ts';
import type { SessionRow } from '../store/store.ts';
import { isOAuthError, type OAuthError, oauthError, unprovenClient } from './answers.ts';
import { assertionProblem, authenticateClient } from './client.ts';
import { describeTask } from './issue-token.ts';

type Answer = Readonly<Record<string, unknown>>;

/** Whether a session is the asker's to know of. */
type Asker = (session: SessionRow) => boolean;

const inactive: Answer = { active: false };

/**
 * RFC 7662, for an admin or auditor of the tenant, for an orchestrator about tasks it opened, and for an agent about its own.
 * What is not the asker's to know is inactive, like what does not exist.
 */
export async function introspectToken(
  ports: Ports,
  tenant: string,
  snapshot: TenantSnapshot | null,
  form: Form,
  authorization: string | null,
): Promise<Answer | OAuthError> {
  const { token } = form;
  if (token === undefined) return oauthError('invalid_request', 'token is missing.');
  const problem = assertionProblem(form);
  if (problem) return problem;
  const asker = await findAsker(ports, tenant, snapshot, form, authorization);
  if (typeof asker !== 'function') return asker;
  const claims = await verifyOwn(ports, token, taskClaims, null);
  if ('problem' in claims || claims.tenant !== tenant) return inactive;
  const view = await ports.store.readSession(tenant, claims.sid);
  const now = ports.clock();
  if (!view || !asker(view.session) || [view.session, ...view.ancestors].some((one) => one.status !== 'active' || one.expiresAt <= now)) return inactive;
  const { agent: _, person: __, ...shown } = claims;
  return { active: true, token_type: claims.cnf ? 'DPoP' : 'Bearer', ...shown, authorization_details: [describeTask(view.session)] };
}

async function findAsker(ports: Ports, tenant: string, snapshot: TenantSnapshot | null, form: Form, authorization: string | null): Promise<Asker | OAuthError> {
  if (form['client_assertion'] !== undefined) {
    const client = await authenticateClient(ports, snapshot, form);
    if (isOAuthError(client)) return client;
    return client.kind === 'agent' ? ({ agent }) => agent === client.agent.name : ({ requester }) => requester === `orchestrator:${client.name}`;
  }
  const person = await authenticatePerson(ports, authorization);
  if (isRefusal(person)) return unprovenClient(person.detail);
  const roles = snapshot && person.tenant === tenant ? rolesOf(snapshot, person) : [];
  return roles.includes('admin') || roles.includes('auditor') ? () => true : unprovenClient('neither admin nor auditor of the tenant');
}
