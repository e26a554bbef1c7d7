import type { JWK } from 'jose';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import { apiUrl, mcpUrl, oidcAlgorithms, proofAlgorithms, scopes, sessionUrl, tenantIssuer, tenantMcpUrl, tokenUrl } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { tenantOfSession } from '../sessions/index.ts';
import { grantTypes } from './token-request.ts';

type Metadata = Readonly<Record<string, unknown>>;

const clientAuthentication = ['private_key_jwt', 'spiffe_jwt'];

/** RFC 8414. Computed from the name alone: whether the tenant exists is not to be found out here, unless it lets anybody register. */
export function serverMetadata({ config }: Pick<Ports, 'config'>, tenant: string, snapshot: Pick<TenantSnapshot, 'document'> | null): Metadata {
  const issuer = tenantIssuer(config, tenant);
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    ...(snapshot?.document.registration ? { registration_endpoint: `${issuer}/oauth/register` } : {}),
    token_endpoint: tokenUrl(config, tenant),
    revocation_endpoint: `${issuer}/oauth/revoke`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    jwks_uri: `${issuer}/oauth/jwks.json`,
    grant_types_supported: Object.values(grantTypes),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    token_endpoint_auth_methods_supported: [...clientAuthentication, 'none'],
    token_endpoint_auth_signing_alg_values_supported: oidcAlgorithms,
    revocation_endpoint_auth_methods_supported: [...clientAuthentication, 'none'],
    introspection_endpoint_auth_methods_supported: [...clientAuthentication, 'bearer'],
    dpop_signing_alg_values_supported: proofAlgorithms,
    authorization_details_types_supported: ['taskgate-task'],
    scopes_supported: scopes,
    protected_resources: [tenantMcpUrl(config, tenant), mcpUrl(config), apiUrl(config)],
  };
}

/** RFC 9728 for one session's door, from its id alone; null when it is no session id. */
export function sessionMetadata({ config }: Pick<Ports, 'config'>, session: string): Metadata | null {
  const tenant = tenantOfSession(session);
  return tenant === null ? null : { ...resource(sessionUrl(config, session)), authorization_servers: [tenantIssuer(config, tenant)] };
}

/** RFC 9728 for the door of a tenant, from its name alone: what a host with nothing but the address begins with. */
export const tenantMetadata = ({ config }: Pick<Ports, 'config'>, tenant: string): Metadata => ({
  ...resource(tenantMcpUrl(config, tenant)),
  authorization_servers: [tenantIssuer(config, tenant)],
});

/** RFC 9728 for `/mcp`. It names no authorization server: it serves every tenant, and their list is nobody's to read. */
export const mcpMetadata = ({ config }: Pick<Ports, 'config'>): Metadata => resource(mcpUrl(config));

const resource = (url: string): Metadata => ({
  resource: url,
  bearer_methods_supported: ['header'],
  dpop_signing_alg_values_supported: proofAlgorithms,
  authorization_details_types_supported: ['taskgate-task'],
});

/** The public halves of the keys that verify now. One ring signs for every tenant. */
export function publicKeys({ keys, clock }: Pick<Ports, 'keys' | 'clock'>): { readonly keys: readonly JWK[] } {
  return { keys: keys.token.filter((key) => key.retiresAt === null || key.retiresAt > clock()).map((key) => key.publicJwk) };
}
