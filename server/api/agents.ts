import { z } from 'zod';
import type { AgentDocument } from '../documents/kinds.ts';
import type { Ports } from '../ports.ts';
import { type Asker, type Endpoint, endpoint, whole } from './endpoint.ts';
import { notFound, type Problem } from './problem.ts';

const agent = z.strictObject({
  name: z.string(),
  owner: z.string(),
  purpose: z.string(),
  workflow: z.string(),
  identity: z.union([z.string(), z.record(z.string(), z.unknown())]),
  clients: z.array(z.string()),
  clearance: z.string(),
  memory: z.enum(['none', 'shared']),
  status: z.enum(['active', 'suspended']).describe('Suspended by its document or by an admin'),
  expires: z.string(),
  review_by: z.string(),
});

async function agentView(ports: Ports, document: AgentDocument): Promise<z.infer<typeof agent>> {
  const status = document.status === 'suspended' ? 'suspended' : await ports.store.readAgentStatus(document.tenant, document.name);
  const { name, owner, purpose, workflow, identity, clients, clearance, memory, expires, review_by } = document;
  return { name, owner, purpose, workflow, identity, clients, clearance, memory, status, expires, review_by };
}

export const agentEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/agents',
    summary: "The tenant's agents",
    access: 'named',
    answer: whole(agent),
    async run(ports, { snapshot }) {
      return { items: await Promise.all([...snapshot.agents.values()].map((document) => agentView(ports, document))), next: null };
    },
  }),
  endpoint({
    method: 'get',
    path: '/agents/{name}',
    summary: 'One agent',
    access: 'named',
    answer: agent,
    async run(ports, { snapshot }, { param }) {
      const document = snapshot.agents.get(param('name'));
      return document ? agentView(ports, document) : notFound();
    },
  }),
  endpoint({
    method: 'post',
    path: '/agents/{name}/suspend',
    summary: 'Suspend an agent: its very next call is refused; sent again it changes nothing',
    access: ['admin'],
    body: z.strictObject({ reason: z.string().trim().min(3).max(500) }),
    answer: agent,
    run: (ports, asker, { param, body }) => setStatus(ports, asker, param('name'), 'suspended', body.reason),
  }),
  endpoint({
    method: 'post',
    path: '/agents/{name}/activate',
    summary: 'Let a suspended agent act again; one that its document suspends stays so',
    access: ['admin'],
    body: z.strictObject({ reason: z.string().trim().max(500).optional() }),
    answer: agent,
    run: (ports, asker, { param, body }) => setStatus(ports, asker, param('name'), 'active', body.reason),
  }),
];

async function setStatus(ports: Ports, asker: Asker, name: string, status: 'active' | 'suspended', reason?: string): Promise<z.infer<typeof agent> | Problem> {
  const { snapshot, person } = asker;
  const document = snapshot.agents.get(name);
  if (!document) return notFound();
  if ((await ports.store.readAgentStatus(person.tenant, name)) !== status) {
    await ports.store.setAgentStatus(person.tenant, name, status, {
      type: status === 'suspended' ? 'agent.suspended' : 'agent.activated',
      at: ports.clock(),
      tenant: person.tenant,
      agent: name,
      actor: person.id,
      ...(reason ? { reason } : {}),
    });
  }
  return agentView(ports, document);
}
