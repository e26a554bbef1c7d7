import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256Hex } from '../../../tools/index.ts';
import { isRefusal } from '../../call/refusals.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Proof } from '../../identity/index.ts';
import type { Form } from '../../identity/read-form.ts';
import type { Ports } from '../../ports.ts';
import { endSession, openSession } from '../../sessions/index.ts';
import type { AuthorizationCode, SessionRow } from '../../store/store.ts';
import { fromRefusal, type OAuthError, oauthError, unprovenClient, unprovenGrant } from '../answers.ts';
import { tooMuchOf } from '../client.ts';
import { agentsOf, type Client, clientLabel } from '../clients/client.ts';
import { authenticateHost } from '../clients/find-client.ts';
import type { TokenRequest } from '../token-request.ts';
import { type CodeContent, codeContent } from './consent.ts';

export interface Opened {
  readonly session: SessionRow;
  readonly resource: string;
  /** Shown this once. */
  readonly refresh: string;
}

export const newRefreshToken = (): string => `tgr_${randomBytes(32).toString('base64url')}`;
const pathOfCode = /^tga_[A-Za-z0-9_-]{43}$/;

/**
 * Trades a code for the session it stands for (RFC 6749 §4.1.3). It is good once, for the client, the address, the PKCE verifier, the
 * resource and the key it was made for: shown with any other it is burnt, and shown again what it opened ends.
 */
export async function redeemCode(
  ports: Ports,
  snapshot: TenantSnapshot | null,
  request: Extract<TokenRequest, { grant: 'code' }>,
  form: Form,
  proof: Proof | null,
): Promise<Opened | OAuthError> {
  if (!snapshot) return unprovenClient('unknown tenant');
  const client = await authenticateHost(ports, snapshot, form);
  if (typeof client === 'string') return unprovenClient(client);
  if (client.bound && !proof) return oauthError('invalid_request', 'This client has said that its tokens are bound to a key: ask with a DPoP proof.');
  const { tenant } = snapshot;
  const stored = pathOfCode.test(request.code) ? await ports.store.readAuthorizationCode(tenant, sha256Hex(request.code)) : null;
  if (!stored) return unprovenGrant('unknown code');
  const tooMuch = await tooMuchOf(ports, snapshot, clientLabel(client));
  if (tooMuch) return tooMuch;
  if (stored.session !== null) return shownAgain(ports, stored, stored.session);
  if (stored.expiresAt <= ports.clock()) return unprovenGrant('the code is past its end');
  const content = codeContent.parse(JSON.parse(stored.content));
  const wrong = mismatch(content, client, request, proof);
  if (wrong !== null) {
    await ports.store.burnAuthorizationCode(tenant, stored.hash, ports.clock());
    return unprovenGrant(wrong);
  }
  if (content.revision !== snapshot.revision)
    return oauthError('invalid_grant', 'What this task may do has changed since the sponsor consented; ask them again.');
  if (!agentsOf(snapshot, client).some(({ name }) => name === content.agent)) return unprovenGrant('the client acts for this agent no more');

  const refresh = newRefreshToken();
  const session = await openSession(ports, snapshot, {
    agent: content.agent,
    useCase: content.use_case,
    objective: content.objective,
    inputs: content.inputs,
    requester: clientLabel(client),
    proof,
    consent: {
      person: content.person,
      claimedGroups: content.claimed_groups,
      grant: { code: stored.hash, refresh: { tenant, hash: sha256Hex(refresh), client: client.id, resource: content.resource, madeAt: ports.clock() } },
    },
  });
  if (!isRefusal(session)) return { session, resource: content.resource, refresh };
  // Of two who show a code at once the second is told apart only now.
  const now = await ports.store.readAuthorizationCode(tenant, stored.hash);
  return now?.session ? shownAgain(ports, now, now.session) : fromRefusal(session);
}

/** Whoever shows a used code is a second holder of it: what came of it ends, whoever is the thief (RFC 6749 §4.1.2). */
async function shownAgain(ports: Ports, { tenant }: AuthorizationCode, session: string): Promise<OAuthError> {
  await endSession(ports, tenant, session, { status: 'revoked', reason: 'the code of its consent was shown twice' }, 'taskgate');
  return unprovenGrant('the code was used before; what it opened is revoked');
}

function mismatch(content: CodeContent, client: Client, request: Extract<TokenRequest, { grant: 'code' }>, proof: Proof | null): string | null {
  if (content.client !== client.id) return 'a code of another client';
  if (content.redirect !== request.redirect) return 'redirect_uri is not the one the code was sent to';
  if (request.resource !== null && request.resource !== content.resource) return 'resource is another';
  if (content.jkt !== null && content.jkt !== proof?.jkt) return 'no proof of the key that the request named';
  const challenge = createHash('sha256').update(request.verifier).digest();
  const expected = Buffer.from(content.challenge, 'base64url');
  return challenge.length === expected.length && timingSafeEqual(challenge, expected) ? null : 'code_verifier does not fit';
}
