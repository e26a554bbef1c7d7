import { sha256Hex } from '../../../tools/index.ts';
import { isRefusal } from '../../call/refusals.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Proof } from '../../identity/index.ts';
import type { Form } from '../../identity/read-form.ts';
import type { Ports } from '../../ports.ts';
import { endSession, renewSession } from '../../sessions/index.ts';
import { fromRefusal, type OAuthError, unprovenClient, unprovenGrant } from '../answers.ts';
import { tooMuchOf } from '../client.ts';
import { agentsOf, clientLabel } from '../clients/client.ts';
import { authenticateHost } from '../clients/find-client.ts';
import type { TokenRequest } from '../token-request.ts';
import { newRefreshToken, type Opened } from './redeem-code.ts';

/**
 * Another token for a live session (RFC 6749 §6): a renewal, judged again as things stand now. The refresh token is good once, for its
 * client alone; one that is shown again has two holders, and the session ends (RFC 9700 §4.14.2).
 */
export async function refreshSession(
  ports: Ports,
  snapshot: TenantSnapshot | null,
  request: Extract<TokenRequest, { grant: 'refresh' }>,
  form: Form,
  proof: Proof | null,
): Promise<Opened | OAuthError> {
  if (!snapshot) return unprovenClient('unknown tenant');
  const client = await authenticateHost(ports, snapshot, form);
  if (typeof client === 'string') return unprovenClient(client);
  const { tenant } = snapshot;
  const hash = sha256Hex(request.token);
  const stored = await ports.store.readRefreshToken(tenant, hash);
  if (!stored || stored.client !== client.id) return unprovenGrant(stored ? 'a refresh token of another client' : 'unknown refresh token');
  const tooMuch = await tooMuchOf(ports, snapshot, clientLabel(client));
  if (tooMuch) return tooMuch;
  if (stored.usedAt !== null) return shownAgain(ports, tenant, stored.session);
  if (request.resource !== null && request.resource !== stored.resource) return unprovenGrant('resource is another');
  const view = await ports.store.readSession(tenant, stored.session);
  const agent = view && agentsOf(snapshot, client).find(({ name }) => name === view.session.agent);
  if (!agent) return unprovenGrant('the client acts for this agent no more');
  const session = await renewSession(ports, snapshot, { agent: agent.name, actor: clientLabel(client), proof }, stored.session);
  if (isRefusal(session)) return fromRefusal(session);
  const next = newRefreshToken();
  if (!(await ports.store.rotateRefreshToken(tenant, hash, sha256Hex(next), ports.clock()))) return shownAgain(ports, tenant, stored.session);
  return { session, resource: stored.resource, refresh: next };
}

async function shownAgain(ports: Ports, tenant: string, session: string): Promise<OAuthError> {
  await endSession(ports, tenant, session, { status: 'revoked', reason: 'its refresh token was shown twice' }, 'taskgate');
  return unprovenGrant('the refresh token was used before; its task is revoked');
}
