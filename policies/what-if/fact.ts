import { withStated } from '../cases/stated-facts.ts';
import type { ToolLaw } from '../engine/law.ts';
import type { RecordType, ValueType } from '../engine/value-types.ts';
import type { CallFacts } from '../facts.ts';
import { attesters, effects, integrities, reaches, sensitivities } from '../vocabulary.ts';

/** One fact that policies read: what it is now, what it could be, and the call with it changed. */
export interface Fact {
  /** As policy text names it. */
  readonly path: string;
  readonly value: unknown;
  /** All it can be, when that is few; else only what policies compare it with is tried. */
  readonly states: readonly unknown[] | null;
  readonly kind: 'one' | 'number' | 'set';
  /** Null for what no change of the call or its session can give. */
  with(value: unknown): CallFacts | null;
}

type Shape = readonly [words: string, states: readonly unknown[] | null, kind?: Fact['kind']];
const either = [true, false];

const shapes: Readonly<Record<string, Shape>> = {
  'principal.name': ['the agent’s name', null],
  'principal.tenant': ['the agent’s tenant', null],
  'principal.owner': ['the agent’s owner', null],
  'principal.workflow': ['the agent’s workflow', null],
  'principal.clearance': ['the agent’s clearance', sensitivities],
  'principal.status': ['the agent’s status', ['active', 'suspended']],
  'context.sponsor.person': ['the sponsor', null],
  'context.sponsor.groups': ['the sponsor’s groups', null, 'set'],
  'context.sponsor.standing': ['the sponsor’s standing', ['active', 'none']],
  'context.session.id': ['the session', null],
  'context.session.tenant': ['the session’s tenant', null],
  'context.session.use_case': ['the use case', null],
  'context.session.mode': ['the session’s mode', ['delegated', 'autonomous']],
  'context.session.attested_by': ['who attested the inputs', attesters],
  'context.session.live': ['whether the session is open', either],
  'context.session.granted': ['whether the session was granted the tool', either],
  'context.session.ceiling': ['the session’s ceiling', sensitivities],
  'context.session.age': ['the session’s age in seconds', null, 'number'],
  'context.session.calls': ['the calls made in the session', null, 'number'],
  'context.session.sensitivity': ['the sensitivity of what the session has read', sensitivities],
  'context.session.categories': ['the categories of what the session has read', null, 'set'],
  'context.session.integrity': ['the integrity of what the session has read', integrities],
  'context.token.bound': ['whether the token is bound to a key', either],
  'context.now': ['the time', null, 'number'],
  'context.satisfied': ['what has been satisfied', null, 'set'],
  'resource.tenant': ['the tool’s tenant', null],
  'resource.effect': ['the tool’s effect', effects],
  'resource.reaches': ['where the tool’s arguments may go', reaches],
  'resource.accepts': ['the highest sensitivity the tool may be sent', sensitivities],
  'resource.sensitivity': ['the sensitivity of what the tool returns', sensitivities],
  'resource.categories': ['the categories of what the tool returns', null, 'set'],
  'resource.integrity': ['the integrity of what the tool returns', integrities],
  'resource.pinned': ['whether the tool’s definition is the approved one', either],
};

/** The fact at a path of policy text; null for one that cannot be another, such as the call itself. */
export function factAt(tool: ToolLaw, facts: CallFacts, path: readonly string[]): Fact | null {
  const [variable, root, ...names] = path;
  if (variable === 'context' && (root === 'args' || root === 'inputs')) return names.length === 0 ? null : argumentAt(tool, facts, root, names);
  const name = path.join('.');
  const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  if (!shape) return null;
  const [, states, kind = 'one'] = shape;
  const place = placeOf(path);
  return {
    path: name,
    states,
    kind,
    value: place.reduce<unknown>(
      (value, key) => (value as Record<string, unknown>)[key === 'use_case' ? 'useCase' : key === 'attested_by' ? 'attestedBy' : key],
      facts,
    ),
    with: (value) => withStated(facts, place.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Parameters<typeof withStated>[1]),
  };
}

/** What people call the fact at a path. */
export function wordsFor(path: string): string {
  const [, root, name] = /^context\.(args|inputs)\.(.+)$/.exec(path) ?? [];
  if (name !== undefined) return `the ${root === 'args' ? 'argument' : 'input'} ${name}`;
  return (Object.hasOwn(shapes, path) ? shapes[path]?.[0] : undefined) ?? path;
}

/** Where stated facts hold what policy text calls otherwise. */
function placeOf(path: readonly string[]): readonly string[] {
  const labelled = ['sensitivity', 'categories', 'integrity'].includes(path.at(-1) ?? '');
  const [variable, ...rest] = path;
  if (variable === 'principal') return ['agent', ...rest];
  if (variable === 'resource') return labelled ? ['tool', 'returns', ...rest] : ['tool', ...rest];
  return labelled ? ['session', 'label', ...rest.slice(1)] : rest;
}

function argumentAt(tool: ToolLaw, facts: CallFacts, root: 'args' | 'inputs', names: readonly string[]): Fact | null {
  const type = typeAt(tool[root].type, names);
  if (!type || type.kind === 'record') return null;
  const value = names.reduce<unknown>((inner, name) => (isRecord(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined), facts[root]);
  return {
    path: ['context', root, ...names].join('.'),
    value,
    states: type.kind === 'bool' ? [...either, undefined] : null,
    kind: type.kind === 'set' ? 'set' : type.kind === 'string' || type.kind === 'bool' ? 'one' : 'number',
    with: (next) => ({ ...facts, [root]: placed(facts[root], names, next) }),
  };
}

function typeAt(record: RecordType, [name, ...below]: readonly string[]): ValueType | null {
  const type = (name === undefined ? undefined : record.fields.get(name))?.type ?? null;
  if (below.length === 0) return type;
  return type?.kind === 'record' ? typeAt(type, below) : null;
}

function placed(under: unknown, [name = '', ...below]: readonly string[], value: unknown): Record<string, unknown> {
  const record = isRecord(under) ? under : {};
  if (below.length > 0) return { ...record, [name]: placed(record[name], below, value) };
  const { [name]: _, ...others } = record;
  return value === undefined ? others : { ...record, [name]: value };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
