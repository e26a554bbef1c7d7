import { z } from 'zod';
import { effects, reaches, sensitivities, targetTypes } from '../../policies/index.ts';
import { acceptsOf, type BrokeredTool, operationKinds } from '../../tools/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Quarantined } from '../store/store.ts';
import { type Endpoint, endpoint, seconds, whole } from './endpoint.ts';

const useCase = z.strictObject({
  name: z.string(),
  workflow: z.string(),
  owner: z.string(),
  purpose: z.string(),
  sponsors: z.strictObject({ groups: z.array(z.string()) }).nullable(),
  accountable: z.string().nullable(),
  inputs: z.record(z.string(), z.record(z.string(), z.unknown())).describe('JSON Schema of each input'),
  grants: z.array(
    z.strictObject({
      tool: z.string(),
      digest: z.string(),
      arguments: z.record(z.string(), z.record(z.string(), z.unknown())),
      origins: z.record(z.string(), z.array(z.string())),
      max_calls: z.int().nullable(),
    }),
  ),
  ceiling: z.enum(sensitivities),
  lifetime: z.strictObject({ default: z.string(), longest: z.string() }),
  budget: z.record(z.string(), z.unknown()),
  max_open_sessions: z.int().nullable(),
  require_proof: z.boolean(),
  observe_until: z.string().nullable().describe('Last day, UTC, on which policy of the tenant is recorded for its sessions and not enforced'),
  expires: z.string(),
  review_by: z.string(),
});

const upstream = z.strictObject({
  name: z.string(),
  transport: z.enum(['stdio', 'http', 'openapi']),
  credential: z.string().nullable(),
  principal: z.enum(['shared', 'agent', 'sponsor']),
  egress: z.array(z.string()),
  tools: z.array(z.string()).describe('Brokered names, of whatever kind'),
});

const tool = z.strictObject({
  name: z.string().describe('`<upstream>__<tool>`'),
  upstream: z.string(),
  kind: z.enum(operationKinds).describe('What its upstream has it as: a tool, a resource, a template of resources, a prompt'),
  address: z.string().describe("Its upstream's own name of it; a URI or URI template of what is read"),
  digest: z.string().describe('SHA-256 of the pinned definition (RFC 8785), hex'),
  says: z.string().nullable(),
  effect: z.enum(effects),
  reaches: z.enum(reaches),
  accepts: z.enum(sensitivities),
  targets: z.record(z.string(), z.enum(targetTypes)),
  label: z.strictObject({ sensitivity: z.enum(sensitivities), categories: z.array(z.string()), integrity: z.string() }).describe('What its results carry'),
  held: z
    .strictObject({ change: z.enum(['changed', 'vanished']), since: z.int() })
    .nullable()
    .describe('When it is not as it was pinned any more: refused and not listed until an admin accepts what it is now'),
  input_schema: z.record(z.string(), z.unknown()),
});

export const catalogueEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/use-cases',
    summary: 'Use cases: what tasks there are, who may sponsor them and what each may at most do',
    access: 'named',
    answer: whole(useCase),
    run: async (_ports, { snapshot }) => ({ items: [...snapshot.useCases.values()].map(useCaseView), next: null }),
  }),
  endpoint({
    method: 'get',
    path: '/upstreams',
    summary: 'Where the tools live',
    access: 'named',
    answer: whole(upstream),
    run: async (_ports, { snapshot }) => ({
      items: [...snapshot.upstreams.values()].map(({ document }) => ({
        name: document.name,
        transport: document.transport.type,
        credential: document.credential ?? null,
        principal: document.principal,
        egress: document.egress,
        tools: [...snapshot.tools.values()].filter((one) => one.upstream === document.name).map(({ name }) => name),
      })),
      next: null,
    }),
  }),
  endpoint({
    method: 'get',
    path: '/tools',
    summary: 'Registered, pinned, labelled operations: tools, resources and prompts',
    access: 'named',
    answer: whole(tool),
    run: async (_ports, { snapshot }) => ({ items: [...snapshot.tools.values()].map((one) => toolView(one, snapshot.quarantined.get(one.name))), next: null }),
  }),
];

function useCaseView({ document, grants }: TenantSnapshot['useCases'] extends ReadonlyMap<string, infer T> ? T : never): z.infer<typeof useCase> {
  const { name, workflow, owner, purpose, inputs, ceiling, lifetime, budget, require_proof, expires, review_by } = document;
  return {
    ...{ name, workflow, owner, purpose, inputs, ceiling, lifetime, require_proof, expires, review_by },
    sponsors: document.sponsors ?? null,
    accountable: document.accountable ?? null,
    observe_until: document.observe_until ?? null,
    budget: { ...budget },
    max_open_sessions: document.max_open_sessions ?? null,
    grants: grants.map((grant) => ({
      tool: grant.tool,
      digest: grant.digest,
      arguments: { ...grant.arguments },
      origins: Object.fromEntries(Object.entries(grant.origins).map(([argument, origins]) => [argument, [...origins]])),
      max_calls: grant.maxCalls,
    })),
  };
}

const toolView = (
  { name, upstream: home, kind, address, digest, manifest, label, inputSchema }: BrokeredTool,
  held: Quarantined | undefined,
): z.infer<typeof tool> => ({
  name,
  upstream: home,
  kind,
  address,
  digest,
  says: manifest.says ?? null,
  effect: manifest.effect,
  reaches: manifest.reaches,
  accepts: acceptsOf(manifest),
  targets: manifest.targets,
  label: { ...label, categories: [...label.categories] },
  held: held && held.change !== 'new' ? { change: held.change, since: seconds(held.at) } : null,
  input_schema: { ...inputSchema },
});
