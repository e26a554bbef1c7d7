import { type CredentialDocument, operationKinds, operationsOf, type UpstreamDocument, type UpstreamTarget } from '../../tools/index.ts';
import type { OperatorCommand } from './kinds.ts';

/** What reaching an upstream needs of a configuration; a `TenantSnapshot` has it. */
export interface UpstreamParts {
  readonly upstreams: ReadonlyMap<string, { readonly document: UpstreamDocument; readonly command: OperatorCommand | null }>;
  readonly credentials: ReadonlyMap<string, CredentialDocument>;
}

/** Names a connection that calls are made on; `target` is the hash of where it goes and with what. */
export const connectionKey = (tenant: string, upstream: string, principal: string, target: string): string => `${tenant}/${upstream}/${principal}/${target}`;

/** Null for a connection that only lists. */
export function readConnectionKey(key: string): { readonly tenant: string; readonly upstream: string; readonly target: string } | null {
  // A principal may hold slashes, the rest cannot.
  const [, tenant, upstream, target] = /^([a-z0-9-]+)\/([a-z0-9-]+)\/.*\/([0-9a-f]{64})$/s.exec(key) ?? [];
  return tenant === undefined || upstream === undefined || target === undefined ? null : { tenant, upstream, target };
}

/** Names a connection that is made to list what an upstream offers, and for nothing else. */
export const listingKey = (tenant: string, upstream: string, once: string): string => `:list-${tenant}/${upstream}/${once}`;

/** Headers that belong to the connection or to MCP. */
export const reservedHeader =
  /^(host|connection|content-.*|transfer-encoding|upgrade|te|trailer|keep-alive|proxy-.*|expect|cookie|origin|accept|mcp-.*|last-event-id|traceparent|tracestate)$/i;

/**
 * Resolves how to reach an upstream: the operator's command or the URL, and the secret where its credential says.
 * `secret` null connects without. Throws for a name the configuration does not have: callers checked.
 */
export function upstreamTarget(parts: UpstreamParts, name: string, secret: string | null): UpstreamTarget {
  const upstream = parts.upstreams.get(name);
  if (!upstream) throw new Error(`no upstream ${name}`);
  const { document, command } = upstream;
  const lists = listed(document);
  const inject = document.credential === undefined ? null : (parts.credentials.get(document.credential)?.inject ?? null);
  switch (document.transport.type) {
    case 'stdio': {
      if (!command) throw new Error(`no command ${document.transport.command}`);
      const injected = inject !== null && 'env' in inject && secret !== null ? { [inject.env]: secret } : {};
      return {
        type: 'stdio',
        ...lists,
        run: command.run,
        allowRead: command.allow_read,
        allowWrite: command.allow_write,
        env: { ...document.transport.env, ...injected },
      };
    }
    case 'http': {
      const headers = inject !== null && 'header' in inject && secret !== null ? { [inject.header]: `${inject.prefix}${secret}` } : {};
      return { type: 'http', ...lists, url: document.transport.url, headers, egress: document.egress };
    }
    case 'openapi':
      throw new Error('openapi upstreams are not spoken to');
  }
}

/** An upstream is asked for the kinds of which its document registers some: most for their tools alone. */
function listed(document: UpstreamDocument): Pick<UpstreamTarget, 'lists'> {
  const registered = new Set(operationsOf(document).map(({ kind }) => kind));
  const lists = operationKinds.filter((kind) => registered.has(kind));
  return lists.join() === 'tool' ? {} : { lists };
}
