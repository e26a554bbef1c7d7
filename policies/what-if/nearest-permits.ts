import { ask, type Expr, type PolicyJson } from '../engine/cedar.ts';
import { operatorOf } from '../engine/expression.ts';
import { withEngine } from '../engine/instance.ts';
import type { Law, ToolLaw } from '../engine/law.ts';
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
  const permits = [...law.policies.values()].filter(({ json }) => json.effect === 'permit').map((policy) => ({ policy, pieces: piecesOf(policy) }));
  const pieces = permits.flatMap(({ pieces: some }) => some).slice(0, mostPieces);
  const ids = new Map(pieces.map((piece, index) => [piece, `piece${index}`]));
  const prepared = {
    slot: 'what-if',
    health: { tenant: law.tenant, traps: 0 },
    schema: tool.prepared.schema,
    sets: { pieces: Object.fromEntries(pieces.map((piece, index) => [`piece${index}`, piece.json])) },
  };
  const request = buildRequest(law.tenant, facts, {
    args: project(facts.args, tool.args.type, tool.args.reads, 'context.args'),
    inputs: project(facts.inputs, tool.inputs.type, tool.inputs.reads, 'context.inputs'),
    satisfied: facts.satisfied,
  });
  const holding = new Set(ask(prepared, 'pieces', request).reasons);
  return permits
    .map(({ policy, pieces: some }) => ({ policy, fails: some.filter((piece) => !holding.has(ids.get(piece) ?? '')).map(({ words }) => words) }))
    .filter(({ fails }) => fails.length > 0)
    .sort((a, b) => a.fails.length - b.fails.length || (a.policy.id < b.policy.id ? -1 : 1))
    .slice(0, most)
    .map(({ policy: { id, reason }, fails }) => ({ id, reason, fails }));
}

function piecesOf({ json }: ParsedPolicy): Piece[] {
  const scopes = (['principal', 'action', 'resource'] as const).flatMap((part): Piece[] => {
    if (json[part].op === 'All') return [];
    return [{ words: `${part} ${scopeWords(json[part])}`, json: { effect: 'permit', ...anything, [part]: json[part], conditions: [] } }];
  });
  const conditions = json.conditions.flatMap(({ kind, body }) =>
    split(body, kind === 'when' ? '&&' : '||').map((part): Piece => {
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
