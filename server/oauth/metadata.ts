import type { JWK } from 'jose';
import { apiUrl, mcpUrl, oidcAlgorithms, sessionUrl, tenantIssuer } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { tenantOfSession } from '../sessions/index.ts';
import { grantTypes } from './token-request.ts';

type Metadata = Readonly<Record<string, unknown>>;

const clientAuthentication = ['private_key_jwt', 'spiffe_jwt'];

/** RFC 8414. Computed from the name alone: whether the tenant exists is not to be found out here. */
export function serverMetadata({ config }: Pick<Ports, 'config'>, tenant: string): Metadata {
  const issuer = tenantIssuer(config, tenant);
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    jwks_uri: `${issuer}/oauth/jwks.json`,
    grant_types_supported: Object.values(grantTypes),
    response_types_supported: [],
    token_endpoint_auth_methods_supported: clientAuthentication,
    token_endpoint_auth_signing_alg_values_supported: oidcAlgorithms,
    revocation_endpoint_auth_methods_supported: [...clientAuthentication, 'none'],
    introspection_endpoint_auth_methods_supported: [...clientAuthentication, 'bearer'],
    authorization_details_types_supported: ['taskgate-task'],
    protected_resources: [mcpUrl(config), apiUrl(config)],
  };
}

/** RFC 9728 for one session's door, from its id alone; null when it is no session id. */
export function sessionMetadata({ config }: Pick<Ports, 'config'>, session: string): Metadata | null {
  const tenant = tenantOfSession(session);
  return tenant === null ? null : { ...resource(sessionUrl(config, session)), authorization_servers: [tenantIssuer(config, tenant)] };
}

/** RFC 9728 for `/mcp`. It names no authorization server: it serves every tenant, and their list is nobody's to read. */
export const mcpMetadata = ({ config }: Pick<Ports, 'config'>): Metadata => resource(mcpUrl(config));

const resource = (url: string): Metadata => ({
  resource: url,
  bearer_methods_supported: ['header'],
  authorization_details_types_supported: ['taskgate-task'],
});

/** The public halves of the keys that verify now. One ring signs for every tenant. */
export function publicKeys({ keys, clock }: Pick<Ports, 'keys' | 'clock'>): { readonly keys: readonly JWK[] } {
  return { keys: keys.token.filter((key) => key.retiresAt === null || key.retiresAt > clock()).map((key) => key.publicJwk) };
}
