import type { JWK } from 'jose';
import type { AgentDocument } from '../../documents/kinds.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';

/** A program that asks a sponsor, through their browser, to act for them. What it says of itself is a claim. */
export interface Client {
  readonly id: string;
  /** `registered` by an admin, by a `document` at its own address, or `dynamic`: by itself. */
  readonly kind: 'registered' | 'document' | 'dynamic';
  readonly name: string;
  /** Whose word the name is, as far as anybody's: the host its document is served by. */
  readonly host: string | null;
  readonly redirects: readonly string[];
  /** It proves one of these keys at the token endpoint; null for a public client. */
  readonly keys: readonly JWK[] | null;
  /** It said of itself that it always proves a key (RFC 9449 §5.2): without one it is not it. */
  readonly bound: boolean;
}

/** Who the client may act as: the agents whose documents name it, or those the tenant lets clients act as that registered themselves. */
export function agentsOf({ document, agents }: Pick<TenantSnapshot, 'document' | 'agents'>, client: Pick<Client, 'id' | 'kind'>): readonly AgentDocument[] {
  const names = (agent: AgentDocument): boolean =>
    client.kind === 'dynamic' ? (document.registration?.agents.includes(agent.name) ?? false) : agent.clients.includes(client.id);
  return [...agents.values()].filter((agent) => agent.status === 'active' && names(agent));
}

/** How a client is written down: one that registered itself has no name anybody gave it, and an id longer than a record should be. */
export const clientLabel = ({ id, kind }: Pick<Client, 'id' | 'kind'>): string => `client:${kind === 'dynamic' ? id.slice(0, 24) : id.slice(0, 300)}`;
