import { z } from 'zod';
import { isExempt, requestChange } from '../changes/index.ts';
import type { AgentDocument } from '../documents/kinds.ts';
import type { Ports } from '../ports.ts';
import { changeProblem, waiting, waitingChange } from './changes.ts';
import { type Asker, type Endpoint, endpoint, whole } from './endpoint.ts';
import { notFound } from './problem.ts';

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
    async run(ports, { snapshot, person }, { param, body }) {
      const document = snapshot.agents.get(param('name'));
      if (!document) return notFound();
      if ((await ports.store.readAgentStatus(person.tenant, document.name)) !== 'suspended') {
        await ports.store.setAgentStatus(person.tenant, document.name, 'suspended', {
          ...{ type: 'agent.suspended', at: ports.clock(), tenant: person.tenant, agent: document.name, actor: person.id, reason: body.reason },
        });
      }
      return agentView(ports, document);
    },
  }),
  endpoint({
    method: 'post',
    path: '/agents/{name}/activate',
    summary: 'Let a suspended agent act again, once another admin approves; one that its document suspends stays so',
    access: ['admin'],
    body: z.strictObject({ reason: z.string().trim().max(500).optional() }),
    answer: agent.extend({ waiting: waitingChange }),
    run: (ports, asker, { param, body }) => activate(ports, asker, param('name'), body.reason || null),
  }),
];

async function activate(ports: Ports, { snapshot, person }: Asker, name: string, reason: string | null) {
  const document = snapshot.agents.get(name);
  if (!document) return notFound();
  const suspended = (await ports.store.readAgentStatus(person.tenant, name)) === 'suspended';
  const exempt = isExempt(snapshot);
  if (suspended && exempt) {
    await ports.store.setAgentStatus(person.tenant, name, 'active', {
      ...{ type: 'agent.activated', at: ports.clock(), tenant: person.tenant, agent: name, actor: person.id, personal: true },
      ...(reason === null ? {} : { reason }),
    });
  }
  const asked = suspended && !exempt ? await requestChange(ports, snapshot, person.id, { kind: 'activation', agent: name }, reason) : null;
  if (asked && !asked.ok) return changeProblem(asked);
  return { ...(await agentView(ports, document)), waiting: await waiting(ports, snapshot, asked?.change ?? null) };
}
