import type { JWK } from 'jose';
import type { AgentDocument } from '../documents/kinds.ts';
import { vetKey } from './vet-keys.ts';

/** The agent's registered identity as tokens name it: its SPIFFE ID, `<issuer>#<subject>`, or, for a bare key, its name. */
export function agentIdentity(agent: Pick<AgentDocument, 'name' | 'identity'>): string {
  const { identity } = agent;
  if (typeof identity === 'string') return identity;
  return 'jwk' in identity ? agent.name : `${identity.issuer}#${identity.subject}`;
}

/** The key of an agent registered by its key; null for others and for keys too weak to count. */
export function agentKey(agent: Pick<AgentDocument, 'identity'>): JWK | null {
  return typeof agent.identity === 'object' && 'jwk' in agent.identity ? vetKey(agent.identity.jwk) : null;
}
