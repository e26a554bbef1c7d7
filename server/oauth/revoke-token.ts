import { sha256Hex } from '../../tools/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { personClaims, type TaskClaims, taskClaims, verifyOwn } from '../identity/index.ts';
import type { Form } from '../identity/read-form.ts';
import type { Ports } from '../ports.ts';
import { endSession } from '../sessions/index.ts';
import { isOAuthError, type OAuthError, oauthError } from './answers.ts';
import { assertionProblem, authenticateClient } from './client.ts';

/**
 * RFC 7009: ends the token's session with everything below it. Holding the token is enough, for giving authority back
 * harms nobody; a client assertion that comes along must be right. Unknown, foreign and ended tokens answer alike.
 */
export async function revokeToken(ports: Ports, tenant: string, snapshot: TenantSnapshot | null, form: Form): Promise<OAuthError | null> {
  const { token, client_assertion: assertion } = form;
  if (token === undefined) return oauthError('invalid_request', 'token is missing.');
  const problem = assertionProblem(form);
  if (problem) return problem;
  const client = assertion === undefined ? null : await authenticateClient(ports, snapshot, form);
  if (client && isOAuthError(client)) return client;
  if (token.startsWith('tgr_')) return revokeRefresh(ports, tenant, token);
  const claims = await taskOf(ports, token);
  if (!claims) {
    const person = await verifyOwn(ports, token, personClaims, null);
    return 'problem' in person ? null : oauthError('unsupported_token_type', 'Only task tokens can be revoked; they end with their session.');
  }
  const foreign = claims.tenant !== tenant || (client?.kind === 'agent' && client.agent.name !== claims.agent);
  if (!foreign) await endSession(ports, tenant, claims.sid, { status: 'ended', reason: 'ended by its agent' }, claims.client_id);
  return null;
}

/** Whoever gives up what renews a task gives up the task. */
async function revokeRefresh(ports: Ports, tenant: string, token: string): Promise<null> {
  const stored = await ports.store.readRefreshToken(tenant, sha256Hex(token));
  if (stored) await endSession(ports, tenant, stored.session, { status: 'ended', reason: 'ended by its host' }, 'taskgate');
  return null;
}

/** Also of an expired token: its session may live on, and its holder wants it to end. */
async function taskOf(ports: Ports, token: string): Promise<TaskClaims | null> {
  const verified = await verifyOwn(ports, token, taskClaims, null);
  if (!('problem' in verified)) return verified;
  return verified.problem === 'expired' ? verified.claims : null;
}
