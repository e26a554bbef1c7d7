import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { CallFacts } from '../facts.ts';
import { rank, trust } from '../labels.ts';
import type { CedarRequest } from './cedar.ts';
import { actionType, allCalls, anyTool, common, misfit, upstreamGroup } from './schema.ts';
import { pruneRecord, type Slice } from './slice.ts';

/** What a request carries beside the facts: values already in the engine's own form. */
export interface Projected {
  readonly args: Record<string, CedarValueJson>;
  readonly inputs: Record<string, CedarValueJson>;
  readonly satisfied: readonly string[];
}

/**
 * The only builder of requests. `tenant` is whose law judges, not what the facts claim. Without the action's entity and
 * its ancestors a condition with `action in …` is false and its forbid is skipped, so they are here whenever one could ask.
 */
export function buildRequest(tenant: string, facts: Omit<CallFacts, 'args' | 'satisfied'>, projected: Projected, slice: Slice): CedarRequest {
  const { agent, tool, session, sponsor } = facts;
  const principal = { type: 'Taskgate::Agent', id: `${agent.tenant}/${agent.name}` };
  const resource = { type: 'Taskgate::Tool', id: `${tool.tenant}/${tool.name}` };
  const upstream = { type: 'Taskgate::Upstream', id: `${tool.tenant}/${tool.upstream}` };
  const action = { type: actionType, id: slice.entities ? tool.name : anyTool.name };
  const group = { type: actionType, id: upstreamGroup(tool.upstream) };
  const every = { type: actionType, id: allCalls };
  const context = {
    tenant,
    sponsor: { person: sponsor.person, groups: [...sponsor.groups], standing: sponsor.standing },
    session: {
      id: session.id,
      tenant: session.tenant,
      use_case: session.useCase,
      mode: session.mode,
      attested_by: session.attestedBy,
      live: session.live,
      granted: session.granted,
      ceiling: rank(session.ceiling),
      age: session.age,
      calls: session.calls,
      sensitivity: rank(session.label.sensitivity),
      categories: [...session.label.categories],
      integrity: trust(session.label.integrity),
    },
    token: { bound: facts.token.bound },
    now: facts.now,
    satisfied: [...projected.satisfied],
  };
  const ofAgent = {
    tenant: agent.tenant,
    name: agent.name,
    owner: agent.owner,
    workflow: agent.workflow,
    clearance: rank(agent.clearance),
    status: agent.status,
  };
  const ofTool = {
    tenant: tool.tenant,
    name: tool.name,
    upstream: tool.upstream,
    effect: tool.effect,
    reaches: tool.reaches,
    accepts: rank(tool.accepts),
    sensitivity: rank(tool.returns.sensitivity),
    categories: [...tool.returns.categories],
    integrity: trust(tool.returns.integrity),
    pinned: tool.pinned,
  };
  // The engine checks what it is handed; a broken fact denies also when no policy asks for it.
  const wrong = misfit(common.context, context) ?? misfit(common.principal, ofAgent) ?? misfit(common.resource, ofTool);
  if (wrong !== null) throw new Error(`a fact is not of its type: ${wrong}`);
  return {
    principal,
    action,
    resource,
    context: pruneRecord({ ...context, args: projected.args, inputs: projected.inputs }, slice.context),
    entities: [
      { uid: principal, parents: [], attrs: pruneRecord(ofAgent, slice.principal) },
      { uid: resource, parents: [upstream], attrs: pruneRecord(ofTool, slice.resource) },
      ...(slice.entities
        ? [
            { uid: upstream, parents: [], attrs: { tenant: tool.tenant } },
            { uid: action, parents: [group], attrs: {} },
            { uid: group, parents: [every], attrs: {} },
            { uid: every, parents: [], attrs: {} },
          ]
        : []),
    ],
  };
}
