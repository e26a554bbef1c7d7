import type { RecordBody } from '../../audit/record.ts';
import type { AgentToken, ChangeApproval } from '../store.ts';
import { all, one, run, signal, type Verb } from '../verb.ts';
import { takeApproval } from './changes.ts';
import { appendRecord } from './records.ts';

/** Only what an admin set while it ran stands here; an agent nobody spoke of is active. */
export function* readAgentStatus(tenant: string, agent: string): Verb<'active' | 'suspended'> {
  const said = yield* one<{ status: 'active' | 'suspended' }>('SELECT status FROM agents WHERE tenant = ? AND agent = ?', tenant, agent);
  return said?.status ?? 'active';
}

export function* setAgentStatus(tenant: string, agent: string, status: 'active' | 'suspended', record: RecordBody, approval?: ChangeApproval): Verb<boolean> {
  if (approval && !(yield* takeApproval(approval))) return false;
  yield* run(
    'INSERT INTO agents (tenant, agent, status) VALUES (?, ?, ?) ON CONFLICT (tenant, agent) DO UPDATE SET status = excluded.status',
    tenant,
    agent,
    status,
  );
  yield* signal('agent', tenant, agent);
  yield* appendRecord(tenant, record);
  return true;
}

export function* putAgentToken(token: AgentToken, record: RecordBody, approval?: ChangeApproval): Verb<boolean> {
  if (approval && !(yield* takeApproval(approval))) return false;
  yield* run(
    'INSERT INTO agent_tokens (hash, tenant, agent, created_by, expires_at, revoked) VALUES (?, ?, ?, ?, ?, ?)',
    token.hash,
    token.tenant,
    token.agent,
    token.createdBy,
    token.expiresAt,
    token.revoked ? 1 : 0,
  );
  yield* appendRecord(token.tenant, record);
  return true;
}

interface TokenColumns {
  readonly hash: string;
  readonly tenant: string;
  readonly agent: string;
  readonly created_by: string;
  readonly expires_at: number;
  readonly revoked: number;
}

export function* readAgentToken(hash: string): Verb<AgentToken | null> {
  const found = yield* one<TokenColumns>('SELECT hash, tenant, agent, created_by, expires_at, revoked FROM agent_tokens WHERE hash = ?', hash);
  return found ? tokenOf(found) : null;
}

/** Those that can still be used at `at`, by agent and end. */
export function* listAgentTokens(tenant: string, agent: string | null, at: number): Verb<AgentToken[]> {
  const [more, values] = agent === null ? ['', []] : ['AND agent = ?', [agent]];
  const found = yield* all<TokenColumns>(
    `SELECT hash, tenant, agent, created_by, expires_at, revoked FROM agent_tokens WHERE tenant = ? AND revoked = 0 AND expires_at > ? ${more} ORDER BY agent, expires_at, hash LIMIT ?`,
    ...[tenant, at, ...values, mostTokens],
  );
  return found.map(tokenOf);
}
const mostTokens = 500;

const tokenOf = ({ created_by: createdBy, expires_at: expiresAt, revoked, ...one }: TokenColumns): AgentToken => ({
  ...{ ...one, createdBy, expiresAt, revoked: revoked !== 0 },
});

/** False when the tenant has no such token that could still be revoked. */
export function* revokeAgentToken(tenant: string, hash: string, record: RecordBody): Verb<boolean> {
  const revoked = yield* run('UPDATE agent_tokens SET revoked = 1 WHERE tenant = ? AND hash = ? AND revoked = 0', tenant, hash);
  if (revoked === 0) return false;
  yield* appendRecord(tenant, record);
  return true;
}
