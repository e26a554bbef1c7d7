import { type Context, Hono } from 'hono';
import { slug } from '../../tools/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { type Form, readForm } from '../identity/read-form.ts';
import type { Ports } from '../ports.ts';
import { StoreUnavailable } from '../store/store.ts';
import { isOAuthError, type OAuthError, oauthError, sendAnswer, sendError } from './answers.ts';
import { authorize } from './authorize/authorize.ts';
import { register } from './clients/register.ts';
import { introspectToken } from './introspect-token.ts';
import { issueToken } from './issue-token.ts';
import { mcpMetadata, publicKeys, serverMetadata, sessionMetadata, tenantMetadata } from './metadata.ts';
import { readProof } from './read-proof.ts';
import { revokeToken } from './revoke-token.ts';
import { readTokenRequest } from './token-request.ts';

/** The door of each tenant's issuer: authorization, registration, token, revocation and introspection endpoints, and their metadata. */
export function oauthRoutes(ports: Ports): Hono {
  const app = new Hono();

  /** Whoever has proven nothing belongs to no tenant: such refusals go to the platform log, which is rate-limited. */
  const refuse = async (c: Context, door: string, error: OAuthError): Promise<Response> => {
    if (error.error === 'invalid_client' || error.detail !== null) {
      await ports.access.stranger(door, error.error, error.detail);
    }
    return sendError(c, error);
  };
  const snapshotOf = async (tenant: string): Promise<TenantSnapshot | null> => (slug.safeParse(tenant).success ? ports.tenants.current(tenant) : null);
  const withForm = async (c: Context, door: string, run: (form: Form) => Promise<Readonly<Record<string, unknown>> | OAuthError>): Promise<Response> => {
    const read = await readForm(c);
    const answer = 'problem' in read ? oauthError('invalid_request', read.problem) : await run(read.form);
    return isOAuthError(answer) ? refuse(c, door, answer) : sendAnswer(c, answer);
  };

  app.post('/t/:tenant/oauth/token', (c) =>
    withForm(c, 'token', async (form) => {
      const tenant = c.req.param('tenant');
      const request = readTokenRequest(ports.config, form);
      if (isOAuthError(request)) return request;
      const proof = await readProof(ports, tenant, c.req.header('dpop') ?? null);
      return proof && isOAuthError(proof) ? proof : issueToken(ports, await snapshotOf(tenant), request, form, proof);
    }),
  );
  app.post('/t/:tenant/oauth/revoke', (c) =>
    withForm(c, 'revoke', async (form) => {
      const tenant = c.req.param('tenant');
      return (await revokeToken(ports, tenant, await snapshotOf(tenant), form)) ?? {};
    }),
  );
  app.post('/t/:tenant/oauth/introspect', (c) =>
    withForm(c, 'introspect', async (form) => {
      const tenant = c.req.param('tenant');
      return introspectToken(ports, tenant, await snapshotOf(tenant), form, c.req.header('authorization') ?? null);
    }),
  );

  app.get('/t/:tenant/oauth/authorize', async (c) => authorize(ports, c, await snapshotOf(c.req.param('tenant'))));
  app.post('/t/:tenant/oauth/register', async (c) => register(ports, c, await snapshotOf(c.req.param('tenant'))));

  const publish = (c: Context, body: object | null): Response =>
    body ? c.json(body, 200, { 'cache-control': 'public, max-age=300' }) : c.json({ error: 'not_found' }, 404);
  app.get('/t/:tenant/oauth/jwks.json', (c) => publish(c, slug.safeParse(c.req.param('tenant')).success ? publicKeys(ports) : null));
  app.get('/.well-known/oauth-authorization-server/t/:tenant', async (c) => {
    const tenant = slug.safeParse(c.req.param('tenant'));
    return publish(c, tenant.success ? serverMetadata(ports, tenant.data, await snapshotOf(tenant.data)) : null);
  });
  app.get('/.well-known/oauth-protected-resource/t/:tenant/mcp', (c) => {
    const tenant = slug.safeParse(c.req.param('tenant'));
    return publish(c, tenant.success ? tenantMetadata(ports, tenant.data) : null);
  });
  app.get('/.well-known/oauth-protected-resource/mcp', (c) => publish(c, mcpMetadata(ports)));
  app.get('/.well-known/oauth-protected-resource/sessions/:id/mcp', (c) => publish(c, sessionMetadata(ports, c.req.param('id'))));

  app.onError((error, c) => {
    if (error instanceof StoreUnavailable) return sendError(c, oauthError('temporarily_unavailable', 'Try again in a moment.'));
    ports.log.error({ err: error, path: c.req.routePath }, 'a token request ended in an exception');
    return sendError(c, oauthError('server_error', 'The request could not be completed.'));
  });
  return app;
}
