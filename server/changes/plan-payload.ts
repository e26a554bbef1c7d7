import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import type { RecordBody } from '../audit/record.ts';
import { changeOf, planAccepted, planHeld, readStored } from '../documents/index.ts';
import type { DocumentProblem } from '../documents/problems.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import type { ChangeApproval, ChangeItem, ChangeRow } from '../store/store.ts';
import type { PlannedChange } from './digest.ts';
import type { Payload } from './payload.ts';

export type PlanPorts = Pick<Ports, 'store' | 'upstreams' | 'clock' | 'keys'>;

/** A change planned on what is in force now, and how it is put in force with the approval it rests on, in one transaction. */
export interface Enactable {
  readonly planned: PlannedChange;
  /** False when the approval could not be taken: decided by another, or the configuration moved on. */
  enact(approval: ChangeApproval): Promise<boolean>;
}

type Change = Pick<ChangeRow, 'tenant' | 'id' | 'author'>;

export function planPayload(
  ports: PlanPorts,
  snapshot: TenantSnapshot,
  change: Change,
  payload: Payload,
): Promise<Enactable | { readonly problems: readonly DocumentProblem[] }> {
  switch (payload.kind) {
    case 'documents':
      return planDocuments(ports, change, payload);
    case 'credential':
      return planCredential(ports, snapshot, change, payload);
    case 'activation':
      return planActivation(ports, snapshot, change, payload);
    case 'tools':
      return planTools(ports, change, payload);
    case 'token':
      return planToken(ports, snapshot, change, payload);
  }
}

const because = ({ author }: Change, { id, digest, by, at }: ChangeApproval) => ({ at, actor: by, author, change: id, change_sha256: digest });

async function planDocuments(ports: PlanPorts, change: Change, payload: Extract<Payload, { kind: 'documents' }>) {
  return enactable(ports, change, await planHeld(ports, await readStored(ports.store), change.tenant, payload));
}

export async function planTools(ports: PlanPorts, change: Change, payload: Extract<Payload, { kind: 'tools' }>) {
  return enactable(ports, change, await planAccepted(ports, await readStored(ports.store), change.tenant, payload));
}

function enactable(
  ports: PlanPorts,
  change: Change,
  made: Awaited<ReturnType<typeof planHeld>>,
): Enactable | { readonly problems: readonly DocumentProblem[] } {
  if ('problems' in made) return made;
  const { prepared, planned } = made;
  return {
    planned,
    async enact(approval: ChangeApproval) {
      const { at, actor, ...more } = because(change, approval);
      const answer = await ports.store.applyConfiguration({ ...changeOf(prepared, actor, at, more), approval });
      return answer.applied;
    },
  };
}

export async function planCredential(ports: Pick<Ports, 'store'>, snapshot: TenantSnapshot, change: Change, payload: Extract<Payload, { kind: 'credential' }>) {
  const { tenant } = change;
  const stored = await ports.store.readSecret(tenant, payload.name);
  const from = stored ? `version ${stored.version} replaced` : 'set for the first time';
  const there = snapshot.credentials.has(payload.name);
  const item = itemOf(tenant, 'Credential', payload.name, stored ? 'changed' : 'added', `value: ${from} (widens)`, payload.sealed);
  return {
    planned: plannedOf(snapshot, there ? [item] : [], `credential:${payload.name}`),
    enact(approval: ChangeApproval) {
      const record: RecordBody = { type: 'credential.set', tenant, detail: payload.name, ...because(change, approval) };
      return ports.store.putSecret(tenant, payload.name, Buffer.from(payload.sealed, 'base64'), approval.at, record, approval);
    },
  };
}

export async function planActivation(ports: Pick<Ports, 'store'>, snapshot: TenantSnapshot, change: Change, payload: Extract<Payload, { kind: 'activation' }>) {
  const { tenant } = change;
  const { agent } = payload;
  const suspended = snapshot.agents.has(agent) && (await ports.store.readAgentStatus(tenant, agent)) === 'suspended';
  const item = itemOf(tenant, 'Agent', agent, 'changed', 'suspended by an admin → active (widens)', payload);
  return {
    planned: plannedOf(snapshot, suspended ? [item] : [], `agent:${agent}`),
    enact: (approval: ChangeApproval) =>
      ports.store.setAgentStatus(tenant, agent, 'active', { type: 'agent.activated', tenant, agent, ...because(change, approval) }, approval),
  };
}

export async function planToken(ports: Pick<Ports, 'store' | 'clock'>, snapshot: TenantSnapshot, change: Change, payload: Extract<Payload, { kind: 'token' }>) {
  const { tenant } = change;
  const { agent, hash, expires_at: expiresAt } = payload;
  const holds = snapshot.agents.has(agent) && expiresAt > ports.clock();
  const until = new Date(expiresAt).toISOString();
  const item = itemOf(tenant, 'ConnectionToken', agent, 'added', `good at /mcp for ${agent} until ${until}, whoever holds it (widens)`, payload);
  return {
    planned: plannedOf(snapshot, holds ? [item] : [], `agent:${agent}`),
    enact(approval: ChangeApproval) {
      const record: RecordBody = { type: 'agent.token_created', tenant, agent, expires_at: expiresAt, detail: hash, ...because(change, approval) };
      return ports.store.putAgentToken({ hash, tenant, agent, createdBy: change.author, expiresAt, revoked: false }, record, approval);
    },
  };
}

function itemOf(tenant: string, kind: string, name: string, change: ChangeItem['change'], difference: string, what: unknown): ChangeItem {
  return { tenant, kind, name, change, effect: 'widens', differences: [difference], sha256: sha256Hex(canonicalForm(what)) };
}

const plannedOf = ({ revision }: TenantSnapshot, items: readonly ChangeItem[], touches: string): PlannedChange => ({
  revision,
  items,
  recorded: items.map(({ change, kind, name, effect, sha256 }) => ({ change, kind, name, effect, sha256 })),
  touches: [touches],
  adds: {},
});
