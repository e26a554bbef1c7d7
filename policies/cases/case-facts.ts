import type { Expr } from '../engine/cedar.ts';
import { childrenOf, entityOf, stringOf } from '../engine/expression.ts';
import type { Law } from '../engine/law.ts';
import type { ParsedPolicy } from '../engine/parse-policies.ts';
import type { CallFacts, PolicySource, PolicyTool } from '../facts.ts';
import { bottom } from '../labels.ts';
import type { PolicyCase } from './parse.ts';
import { withStated } from './stated-facts.ts';

/** A fixed moment, so that a case means the same every day. */
const noon = 1_800_000_000;

/** A case's facts: what it states, over a valid session of an agent that some permit for this tool names. */
export function caseFacts(source: PolicySource, law: Law, one: PolicyCase): CallFacts | null {
  const tool = source.tools.find(({ name }) => name === one.tool);
  if (!tool) return null;
  const { tenant } = source;
  const { inputSchema: _, ...described } = tool;
  const agent = agentOf(source, law, tool, one.facts.agent ?? {});
  const valid: CallFacts = {
    tenant,
    agent: { ...agent, tenant, owner: 'owner', clearance: 'restricted', status: 'active' },
    sponsor: { person: 'local#sponsor', groups: [], standing: 'active' },
    tool: { ...described, tenant, pinned: true },
    session: {
      id: `ses_${tenant}_case`,
      tenant,
      useCase: source.useCases.find(({ workflow }) => workflow === agent.workflow)?.name ?? 'any',
      mode: 'delegated',
      attestedBy: 'sponsor',
      live: true,
      granted: true,
      ceiling: 'restricted',
      age: 60,
      calls: 0,
      label: bottom,
    },
    inputs: {},
    args: {},
    token: { bound: true },
    now: noon,
    satisfied: [],
  };
  return withStated(valid, one.facts);
}

/** The agent named; else the first of the workflow named; else the first whom a permit for this tool names. */
function agentOf(source: PolicySource, law: Law, tool: PolicyTool, stated: { name?: string | undefined; workflow?: string | undefined }) {
  const agents = [...source.agents, ...source.useCases.map(({ workflow }) => ({ name: 'any-agent', workflow }))];
  const named = new Set(law.tools.get(tool.name)?.policies.flatMap(whomPermits));
  const found =
    agents.find(({ name }) => name === stated.name) ??
    agents.find(({ workflow }) => workflow === stated.workflow) ??
    agents.find(({ name, workflow }) => named.has(workflow) || named.has(`${source.tenant}/${name}`)) ??
    agents[0];
  return { name: stated.name ?? found?.name ?? 'any-agent', workflow: stated.workflow ?? found?.workflow ?? 'any' };
}

/** Every string and entity id in a permit: among them, the workflows and agents it names. */
function whomPermits({ json }: ParsedPolicy): string[] {
  if (json.effect !== 'permit') return [];
  const scope = 'entity' in json.principal ? [json.principal.entity] : [];
  return [...scope.map((entity) => ('__entity' in entity ? entity.__entity.id : entity.id)), ...json.conditions.flatMap(({ body }) => names(body))];
}

function names(expr: Expr): string[] {
  const name = stringOf(expr) ?? entityOf(expr)?.id;
  return name === undefined ? childrenOf(expr).flatMap(names) : [name];
}
