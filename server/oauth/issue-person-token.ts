import { isRefusal } from '../call/refusals.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { apiUrl, isForAgent, signOwn, tenantIssuer, verifyPersonToken } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { type OAuthError, unprovenGrant } from './answers.ts';
import { tooMuchOf } from './client.ts';
import { tokenTypes } from './token-request.ts';

const lifetimeSeconds = 3_600;

/** Trades a person's ID token for a token that `/v1` takes: who they are, never what they may; that is read when used. */
export async function issuePersonToken(ports: Ports, snapshot: TenantSnapshot, idToken: string): Promise<Readonly<Record<string, unknown>> | OAuthError> {
  const login = await verifyPersonToken(ports, snapshot, idToken, []);
  if (isRefusal(login)) return unprovenGrant(login.detail);
  const { person, once } = login;
  if (person.name === null) return unprovenGrant('the tenant names no such person');
  if (isForAgent(snapshot, login)) return unprovenGrant('the login was made for an agent');
  const tooMuch = await tooMuchOf(ports, snapshot, person.id);
  if (tooMuch) return tooMuch;
  const now = ports.clock();
  if (!(await ports.store.useOnce(once.scope, once.key, once.expiresAt, now, once.issuedAt))) return unprovenGrant('the login was used before');
  const iat = Math.floor(now / 1000);
  const token = await signOwn(ports, {
    iss: tenantIssuer(ports.config, snapshot.tenant),
    aud: apiUrl(ports.config),
    sub: person.id,
    client_id: login.authorizedParty ?? login.audiences[0] ?? 'taskgate',
    tenant: snapshot.tenant,
    jti: ports.newId('tok'),
    iat,
    exp: iat + lifetimeSeconds,
    ...(login.person.loggedInAt === undefined ? {} : { auth_time: Math.floor(login.person.loggedInAt / 1000) }),
  });
  await ports.store.append(snapshot.tenant, [{ type: 'person.login', at: now, tenant: snapshot.tenant, actor: person.id }]);
  return { access_token: token, issued_token_type: tokenTypes.access, token_type: 'Bearer', expires_in: lifetimeSeconds };
}
