import { calculateJwkThumbprint, type JWK } from 'jose';
import { type Refusal, refuse } from '../call/refusals.ts';
import type { AgentDocument } from '../documents/kinds.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import { agentIdentity, agentKey } from './agents.ts';
import { isOnlyFor, readJwt, timeProblem, type UnprovenJwt } from './jwt.ts';
import { verifyIssued } from './oidc.ts';
import { proveAssertion } from './prove-assertion.ts';
import { verifySvid } from './spiffe.ts';
import { tenantIssuer } from './urls.ts';
import { vetKey } from './vet-keys.ts';

export type IdentityPorts = Pick<Ports, 'store' | 'clock' | 'log' | 'config'>;
type Registered = Pick<TenantSnapshot, 'tenant' | 'trust' | 'agents' | 'document'>;

declare const workload: unique symbol;

/** Evidence that a workload of this tenant is this agent, proven by its own credential. */
export interface Workload {
  readonly [workload]: true;
  readonly kind: 'agent';
  readonly tenant: string;
  readonly agent: AgentDocument;
  readonly identity: string;
}

/** Evidence that a registered orchestrator, which is no agent, is asking. */
export interface Orchestrator {
  readonly [workload]: true;
  readonly kind: 'orchestrator';
  readonly tenant: string;
  readonly name: string;
}

const longestToken = 3_600;

/** One answer for unknown and wrong: which of the two it was stands only in `detail`. */
const denied = (detail: string): Refusal => refuse('token.invalid', 'This workload credential is not valid here.', { detail });

/** Finds the agent whose registered identity the JWT proves, by this tenant's own trust roots and keys only. */
export async function verifyWorkload(ports: IdentityPorts, snapshot: Registered, jwt: string): Promise<Workload | Refusal> {
  const client = await verifyClient(ports, snapshot, jwt);
  if ('refused' in client || client.kind === 'agent') return client;
  return denied('an orchestrator is not an agent');
}

/** As `verifyWorkload`, but a registered orchestrator's assertion passes as well. */
export async function verifyClient(ports: IdentityPorts, snapshot: Registered, text: string): Promise<Workload | Orchestrator | Refusal> {
  const jwt = readJwt(text);
  if (!jwt) return denied('not a JWT');
  const { iss, sub } = jwt.claims;
  if (typeof sub === 'string' && sub.startsWith('spiffe://')) {
    const svid = await verifySvid(ports, snapshot, jwt);
    return 'problem' in svid ? denied(svid.problem) : agentBy(snapshot, (agent) => agent.identity === svid.id);
  }
  if (typeof iss === 'string' && iss === sub) return verifyAssertion(ports, snapshot, jwt, iss);
  return verifyIssuedWorkload(ports, snapshot, jwt);
}

async function verifyIssuedWorkload(ports: IdentityPorts, snapshot: Registered, jwt: UnprovenJwt): Promise<Workload | Refusal> {
  const issued = await verifyIssued(ports, snapshot, jwt, { for: 'workloads', types: [undefined, 'jwt', 'at+jwt'] });
  if ('problem' in issued) return denied(issued.problem);
  const { claims, issuer } = issued;
  if (!isOnlyFor(claims, tenantIssuer(ports.config, snapshot.tenant))) return denied("aud is not exactly the tenant's issuer");
  const late = timeProblem(claims, { now: ports.clock(), longest: longestToken });
  if (late) return denied(late);
  return agentBy(
    snapshot,
    ({ identity }) => typeof identity === 'object' && 'issuer' in identity && identity.issuer === issuer && identity.subject === claims['sub'],
  );
}

/** `private_key_jwt` of an agent or an orchestrator registered by its key. */
async function verifyAssertion(ports: IdentityPorts, snapshot: Registered, jwt: UnprovenJwt, name: string): Promise<Workload | Orchestrator | Refusal> {
  const { orchestrators } = snapshot.document;
  const agent = snapshot.agents.get(name);
  const ofAgent = agent && agentKey(agent);
  const ofOrchestrator = Object.hasOwn(orchestrators, name) ? vetKey(orchestrators[name]?.jwk) : null;
  const key = ofAgent ?? ofOrchestrator;
  if (!key || (ofAgent && ofOrchestrator)) return denied(key ? 'an agent and an orchestrator share this name' : 'no key is registered under this name');
  if (!ofAgent && (await isAgentKey(snapshot, key))) return denied("the orchestrator's key is an agent's");
  // The registered key is the only one there is; what the header calls it does not matter.
  const { kid: _, ...bare } = key;
  const { kid } = jwt.header;
  const problem = await proveAssertion(ports, snapshot.tenant, jwt, name, [typeof kid === 'string' ? { ...bare, kid } : bare]);
  if (problem) return denied(problem);
  return agent && ofAgent ? proven(snapshot, agent) : ({ kind: 'orchestrator', tenant: snapshot.tenant, name } as Orchestrator);
}

async function isAgentKey(snapshot: Registered, key: JWK): Promise<boolean> {
  const own = await calculateJwkThumbprint(key);
  for (const agent of snapshot.agents.values()) {
    const other = agentKey(agent);
    if (other && (await calculateJwkThumbprint(other)) === own) return true;
  }
  return false;
}

function agentBy(snapshot: Registered, matches: (agent: AgentDocument) => boolean): Workload | Refusal {
  const found = [...snapshot.agents.values()].filter(matches);
  const [agent] = found;
  if (!agent || found.length > 1) return denied(agent ? 'two agents have this identity' : 'no agent has this identity');
  return proven(snapshot, agent);
}

const proven = (snapshot: Registered, agent: AgentDocument): Workload =>
  ({ kind: 'agent', tenant: snapshot.tenant, agent, identity: agentIdentity(agent) }) as Workload;
