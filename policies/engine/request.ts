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

/** One of the two entities a request is about: who or what it is, and what the slice reads of it. */
interface Told {
  readonly attrs: Readonly<Record<string, CedarValueJson>>;
  /** Both, to the letter. */
  readonly text: string;
}

/** What is asked of the law. */
export interface Question {
  /** All that the answer can depend on, to the letter. */
  readonly text: string;
  request(): CedarRequest;
}

/**
 * The only maker of questions. `tenant` is whose law judges, not what the facts claim. The engine checks what it is handed; a broken
 * fact denies also when no policy asks for it.
 */
export function questionOf(tenant: string, facts: Omit<CallFacts, 'args' | 'satisfied'>, projected: Projected, slice: Slice): Question {
  const { agent, tool, session, sponsor } = facts;
  const principal = told(agent, slice, toldAgent);
  const resource = told(tool, slice, toldTool);
  const general = {
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
  expectFit(common.context, general);
  const context = pruneRecord({ ...general, args: projected.args, inputs: projected.inputs }, slice.context);
  return {
    text: `${principal.text}${resource.text}${JSON.stringify(context)}`,
    request: () => requestOf(facts, principal, resource, context, slice),
  };
}

/** The question as the engine is asked it, of a call nobody asked about before. */
export const buildRequest = (...about: Parameters<typeof questionOf>): CedarRequest => questionOf(...about).request();

/**
 * Without the action's entity and its ancestors a condition with `action in …` is false and its forbid is skipped, so they are here
 * whenever one could ask.
 */
function requestOf(
  { agent, tool }: Pick<CallFacts, 'agent' | 'tool'>,
  ofAgent: Told,
  ofTool: Told,
  context: CedarRequest['context'],
  slice: Slice,
): CedarRequest {
  const principal = { type: 'Taskgate::Agent', id: `${agent.tenant}/${agent.name}` };
  const resource = { type: 'Taskgate::Tool', id: `${tool.tenant}/${tool.name}` };
  const upstream = { type: 'Taskgate::Upstream', id: `${tool.tenant}/${tool.upstream}` };
  const action = { type: actionType, id: slice.entities ? tool.name : anyTool.name };
  const group = { type: actionType, id: upstreamGroup(tool.upstream) };
  const every = { type: actionType, id: allCalls };
  return {
    principal,
    action,
    resource,
    context,
    entities: [
      { uid: principal, parents: [], attrs: ofAgent.attrs },
      { uid: resource, parents: [upstream], attrs: ofTool.attrs },
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

/** By the facts and the slice: whoever calls hands in the same facts from call to call where they have not changed. */
const remembered = new WeakMap<object, WeakMap<Slice, Told>>();

function told<T extends object>(facts: T, slice: Slice, tell: (facts: T, slice: Slice) => Told): Told {
  let ofFacts = remembered.get(facts);
  if (!ofFacts) {
    ofFacts = new WeakMap();
    remembered.set(facts, ofFacts);
  }
  const known = ofFacts.get(slice);
  if (known) return known;
  const made = tell(facts, slice);
  ofFacts.set(slice, made);
  return made;
}

function toldAgent(agent: CallFacts['agent'], slice: Slice): Told {
  const { tenant, name, owner, workflow, status } = agent;
  const all = { tenant, name, owner, workflow, clearance: rank(agent.clearance), status };
  expectFit(common.principal, all);
  const attrs = pruneRecord(all, slice.principal);
  return { attrs, text: JSON.stringify([tenant, name, attrs]) };
}

function toldTool(tool: CallFacts['tool'], slice: Slice): Told {
  const { tenant, name, upstream, effect, reaches, returns, pinned } = tool;
  const all = {
    ...{ tenant, name, upstream, effect, reaches, accepts: rank(tool.accepts) },
    sensitivity: rank(returns.sensitivity),
    categories: [...returns.categories],
    integrity: trust(returns.integrity),
    pinned,
  };
  expectFit(common.resource, all);
  const attrs = pruneRecord(all, slice.resource);
  return { attrs, text: JSON.stringify([tenant, name, upstream, attrs]) };
}

function expectFit(type: Parameters<typeof misfit>[0], value: Readonly<Record<string, unknown>>): void {
  const wrong = misfit(type, value);
  if (wrong !== null) throw new Error(`a fact is not of its type: ${wrong}`);
}
