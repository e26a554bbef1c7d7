import { isRefusal, type Refusal } from '../call/refusals.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { type Caller, type Login, mcpUrl, type Orchestrator, type Proof, sessionUrl, verifyPersonToken, type Workload } from '../identity/index.ts';
import type { Form } from '../identity/read-form.ts';
import type { Ports } from '../ports.ts';
import { mintTaskToken, openSession, renewSession, type TaskAsked } from '../sessions/index.ts';
import type { SessionRow } from '../store/store.ts';
import { fromRefusal, isOAuthError, type OAuthError, oauthError, unprovenClient, unprovenGrant } from './answers.ts';
import { type Opened, redeemCode } from './authorize/redeem-code.ts';
import { refreshSession } from './authorize/refresh.ts';
import { authenticateClient, proveActor } from './client.ts';
import { issuePersonToken } from './issue-person-token.ts';
import { type Target, type TokenRequest, tokenTypes } from './token-request.ts';

type Answer = Readonly<Record<string, unknown>>;

/** Answers one token request: whoever asks is proven first, then the session is opened or renewed, then a token signed. */
export async function issueToken(
  ports: Ports,
  snapshot: TenantSnapshot | null,
  request: TokenRequest,
  form: Form,
  proof: Proof | null,
): Promise<Answer | OAuthError> {
  switch (request.grant) {
    case 'person':
      if (proof) return oauthError('invalid_request', 'A token for people is bound to no key: ask without a DPoP header.');
      return snapshot ? issuePersonToken(ports, snapshot, request.subjectToken) : unprovenGrant('unknown tenant');
    case 'client': {
      const client = await authenticateClient(ports, snapshot, form);
      if (isOAuthError(client) || !snapshot) return isOAuthError(client) ? client : unprovenClient(null);
      if (client.kind !== 'agent') return oauthError('unauthorized_client', 'An orchestrator opens tasks by token exchange or jwt-bearer.');
      if (!('session_id' in request.task)) return open(ports, snapshot, client, { task: request.task, target: request.target }, proof, null, null);
      if (request.target.door === 'session' && request.target.url !== null && request.target.url !== sessionUrl(ports.config, request.task.session_id)) {
        return oauthError('invalid_target', 'This resource is not the door of this task.');
      }
      return tokenFor(
        ports,
        await renewSession(ports, snapshot, { agent: client.agent.name, actor: client.identity, proof }, request.task.session_id),
        request.target,
      );
    }
    case 'code':
      return tokenForHost(ports, await redeemCode(ports, snapshot, request, form, proof));
    case 'refresh':
      return tokenForHost(ports, await refreshSession(ports, snapshot, request, form, proof));
    case 'assertion':
    case 'exchange': {
      const orchestrator = await besideActor(ports, snapshot, form);
      if (orchestrator && isOAuthError(orchestrator)) return orchestrator;
      const jwt = request.grant === 'assertion' ? request.assertion : request.actorToken;
      // A `private_key_jwt` is good for once: the same one in both places is one proof.
      const actor = orchestrator?.kind === 'agent' && form['client_assertion'] === jwt ? orchestrator : await proveActor(ports, snapshot, jwt);
      if (isOAuthError(actor) || !snapshot) return isOAuthError(actor) ? actor : unprovenGrant(null);
      if (orchestrator?.kind === 'agent' && orchestrator.agent.name !== actor.agent.name) return unprovenClient('the client is another agent');
      const login = request.grant === 'exchange' ? await verifyPersonToken(ports, snapshot, request.subjectToken, actor.agent.clients) : null;
      if (isRefusal(login)) return unprovenGrant(login.detail);
      return open(ports, snapshot, actor, request, proof, login, orchestrator?.kind === 'orchestrator' ? orchestrator : null);
    }
  }
}

/** A host has a refresh token beside its token: its only way to another one without asking the sponsor again. */
async function tokenForHost(ports: Ports, opened: Opened | OAuthError): Promise<Answer | OAuthError> {
  if (isOAuthError(opened)) return opened;
  const answer = await tokenFor(ports, opened.session, { door: opened.resource === mcpUrl(ports.config) ? 'mcp' : 'tenant', scopes: null });
  return isOAuthError(answer) ? answer : { ...answer, refresh_token: opened.refresh };
}

/** Client authentication beside a grant that names the agent is optional; a wrong one is never overlooked. */
async function besideActor(ports: Ports, snapshot: TenantSnapshot | null, form: Form): Promise<Workload | Orchestrator | OAuthError | null> {
  return form['client_assertion'] === undefined ? null : authenticateClient(ports, snapshot, form);
}

async function open(
  ports: Ports,
  snapshot: TenantSnapshot,
  actor: Workload,
  { task, target }: { readonly task: TaskAsked; readonly target: Target },
  proof: Proof | null,
  login: Login | null,
  orchestrator: Orchestrator | null,
): Promise<Answer | OAuthError> {
  if (target.door === 'session' && target.url !== null) return oauthError('invalid_target', 'A task that is not open yet has no door of its own to name.');
  const session = await openSession(ports, snapshot, {
    agent: actor.agent.name,
    useCase: task.use_case,
    objective: task.objective ?? null,
    inputs: task.inputs,
    tools: task.tools ?? null,
    lifetime: task.lifetime ?? null,
    parent: task.parent ?? null,
    login,
    proof,
    attestedBy: orchestrator ? 'orchestrator' : 'agent',
    requester: orchestrator ? `orchestrator:${orchestrator.name}` : actor.identity,
  });
  return tokenFor(ports, session, target);
}

async function tokenFor(
  ports: Ports,
  session: SessionRow | Refusal,
  target: Pick<Target, 'scopes'> & { readonly door: Caller['door'] },
): Promise<Answer | OAuthError> {
  if (isRefusal(session)) return fromRefusal(session);
  const minted = await mintTaskToken(ports, session, target);
  if (isRefusal(minted)) return fromRefusal(minted);
  return {
    access_token: minted.token,
    issued_token_type: tokenTypes.access,
    token_type: session.cnf ? 'DPoP' : 'Bearer',
    expires_in: minted.expiresIn,
    ...(target.scopes ? { scope: target.scopes.join(' ') } : {}),
    authorization_details: [
      {
        ...describeTask(session),
        mcp_url: minted.audience,
      },
    ],
  };
}

/** What was granted (RFC 9396 §7): the session as it is, not as it was asked for. */
export function describeTask(session: SessionRow): Readonly<Record<string, unknown>> {
  return {
    type: 'taskgate-task',
    use_case: session.useCase,
    objective: session.objective,
    inputs: session.inputs,
    attested_by: session.attestedBy,
    tools: session.grants.map(({ tool }) => tool),
    ceiling: session.ceiling,
    ...(session.parent === null ? {} : { parent: session.parent }),
    session_id: session.id,
    expires_at: session.expiresAt / 1000,
    sha256: session.taskSha256,
  };
}
