import { ask, type Expr, type PolicyJson } from '../engine/cedar.ts';
import { operatorOf, readsContext, readsOf } from '../engine/expression.ts';
import { withEngine } from '../engine/instance.ts';
import { canConcern, type Law, sets, type ToolLaw, toolLaw } from '../engine/law.ts';
import type { ParsedPolicy } from '../engine/parse-policies.ts';
import { project } from '../engine/project.ts';
import { buildRequest } from '../engine/request.ts';
import type { CallFacts } from '../facts.ts';
import type { NearPermit } from './explanation.ts';

const most = 3;
const mostPieces = 400;
const anything = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' } } as const;

/** One thing a permit asks for, as a permit of its own: it holds exactly when the thing does. */
interface Piece {
  readonly words: string;
  readonly json: PolicyJson;
}

/** The tenant's permits by how little is missing, each with what does not hold. */
export function nearestPermits(law: Law, tool: ToolLaw, facts: CallFacts): readonly NearPermit[] {
  const permits = [...law.policies.values()]
    .filter(({ json }) => json.effect === 'permit')
    .map((policy) => ({ policy, covers: canConcern(policy, tool.tool), pieces: piecesOf(policy, canConcern(policy, tool.tool)) }));
  const pieces = new Map(permits.flatMap(({ policy, pieces: some }) => some.map((piece) => [piece, policy] as const)).slice(0, mostPieces));
  const holding = holdingOf(law, tool, facts, pieces);
  return permits
    .map(({ policy, covers, pieces: some }) => ({
      policy,
      fails: [...(covers ? [] : [`action ${scopeWords(policy.json.action)}`]), ...some.filter((piece) => !holding.has(piece)).map(({ words }) => words)],
    }))
    .filter(({ fails }) => fails.length > 0)
    .sort((a, b) => a.fails.length - b.fails.length || (a.policy.id < b.policy.id ? -1 : 1))
    .slice(0, most)
    .map(({ policy: { id, reason }, fails }) => ({ id, reason, fails }));
}

/** One question to the engine answers which of all pieces hold. */
function holdingOf(law: Law, { tool }: ToolLaw, facts: CallFacts, pieces: ReadonlyMap<Piece, ParsedPolicy>): ReadonlySet<Piece> {
  const asked = [...pieces].map(([{ json }, policy], index): ParsedPolicy => {
    const reads = json.conditions.flatMap(({ body }) => readsOf(body));
    return { ...policy, id: `piece${index}`, json, relaxed: json, reads };
  });
  const slice = toolLaw({ ...law, health: { tenant: law.tenant, traps: 0 } }, asked, tool, 'what-if');
  const args = project(facts.args, slice.args.type, slice.args.reads, 'context.args');
  const inputs = project(facts.inputs, slice.inputs.type, slice.inputs.reads, 'context.inputs');
  const { reasons } = ask(slice.prepared, sets.call, buildRequest(law.tenant, facts, { args, inputs, satisfied: facts.satisfied }, slice.slice));
  return new Set([...pieces.keys()].filter((_, index) => reasons.includes(`piece${index}`)));
}

/** Of a permit for other tools, what reads arguments cannot be asked of this one. */
function piecesOf({ json }: ParsedPolicy, covers: boolean): Piece[] {
  const scopes = (['principal', 'resource'] as const).flatMap((part): Piece[] => {
    if (json[part].op === 'All') return [];
    return [{ words: `${part} ${scopeWords(json[part])}`, json: { effect: 'permit', ...anything, [part]: json[part], conditions: [] } }];
  });
  const conditions = json.conditions.flatMap(({ kind, body }) =>
    split(body, kind === 'when' ? '&&' : '||')
      .filter((part) => covers || !readsContext(part, 'args'))
      .map((part): Piece => {
        const piece: PolicyJson = { effect: 'permit', ...anything, conditions: [{ kind, body: part }] };
        return { words: `${kind === 'unless' ? 'not ' : ''}${conditionWords(piece)}`, json: piece };
      }),
  );
  return [...scopes, ...conditions];
}

/** What stands after the variable in a policy's head, in one line. */
function scopeWords(scope: PolicyJson['principal' | 'action' | 'resource']): string {
  if (scope.op === 'is') return `is ${scope.entity_type}`;
  if ('entities' in scope) return `in ${scope.entities.map(uid).join(' or ')}`;
  return 'entity' in scope ? `${scope.op} ${uid(scope.entity)}` : scope.op;
}

function uid(entity: { type: string; id: string } | { __entity: { type: string; id: string } }): string {
  const { type, id } = '__entity' in entity ? entity.__entity : entity;
  return `${type}::${JSON.stringify(id)}`;
}

/** The one condition of a policy as its author could have written it. */
function conditionWords(policy: PolicyJson): string {
  const answer = withEngine((engine) => engine.policyToText(policy));
  const text = answer.type === 'success' ? answer.text : '';
  return text
    .slice(text.indexOf('{') + 1, text.lastIndexOf('}'))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** `a && b && c` as its parts. */
function split(expr: Expr, operator: '&&' | '||'): Expr[] {
  const { name, body } = operatorOf(expr);
  if (name !== operator) return [expr];
  const { left, right } = body as { left: Expr; right: Expr };
  return [...split(left, operator), ...split(right, operator)];
}
