import type { Config } from '../config.ts';

type Public = Pick<Config, 'public_url'>;

/** The tenant's issuer: `iss` of its task tokens and the only audience its workloads may name. */
export const tenantIssuer = (config: Public, tenant: string): string => `${config.public_url}/t/${tenant}`;
export const tokenUrl = (config: Public, tenant: string): string => `${tenantIssuer(config, tenant)}/oauth/token`;
export const sessionUrl = (config: Public, session: string): string => `${config.public_url}/sessions/${session}/mcp`;
export const mcpUrl = (config: Public): string => `${config.public_url}/mcp`;
/** Where a host finds the tenant by the address alone, and with it the issuer its people log in at. */
export const tenantMcpUrl = (config: Public, tenant: string): string => `${config.public_url}/t/${tenant}/mcp`;
export const apiUrl = (config: Public): string => `${config.public_url}/v1`;

/** Where a door's protected-resource metadata stands (RFC 9728 §3.1): for a challenge's `resource_metadata`. */
export const resourceMetadataUrl = (config: Public, { session, tenant }: { readonly session: string | null; readonly tenant: string | null }): string =>
  `${config.public_url}/.well-known/oauth-protected-resource${session !== null ? `/sessions/${session}` : tenant !== null ? `/t/${tenant}` : ''}/mcp`;

/** Hosts that never leave this machine: the only ones that may be spoken to without TLS. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}
