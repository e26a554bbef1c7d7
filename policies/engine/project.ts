import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Read } from './expression.ts';
import type { RecordType, ValueType } from './value-types.ts';

/** Which parts of a record some policy reads. `whole`: its value as such, not only what is below it. */
export interface ReadTree {
  whole: boolean;
  readonly below: Map<string, ReadTree>;
}

/** Values policy was to read and cannot: where, and why, without the value. */
export class Unrepresentable extends Error {
  override readonly name = 'Unrepresentable';
}

/** Total characters and elements of one projection: the engine's cost is linear in them. */
const most = { characters: 65_536, elements: 256 };

/** What the reads take from below `root`, such as `context` or `context.args`. */
export function treeOf(reads: readonly Read[], ...root: readonly string[]): ReadTree {
  const tree: ReadTree = { whole: false, below: new Map() };
  for (const { path, how } of reads) {
    if (!root.every((name, at) => path[at] === name)) continue;
    let node = tree;
    for (const name of path.slice(root.length)) {
      const next = node.below.get(name) ?? { whole: false, below: new Map() };
      node.below.set(name, next);
      node = next;
    }
    if (how === 'value') node.whole = true;
  }
  return tree;
}

/** The part of a record type that is read: what the request will carry, so what its schema must say. */
export function narrow(type: RecordType, tree: ReadTree): RecordType {
  const fields = new Map<string, { type: ValueType | null; required: boolean }>();
  for (const [name, below] of tree.below) {
    const field = type.fields.get(name);
    if (!field?.type) continue;
    const whole = field.type.kind !== 'record' || below.whole;
    fields.set(name, { required: field.required, type: whole ? field.type : narrow(field.type as RecordType, below) });
  }
  return { kind: 'record', fields };
}

/**
 * The read part of a value as the engine takes it. Never leaves a read value out silently: a forbid behind `has` would
 * then not bite. Throws {@link Unrepresentable}.
 */
export function project(value: Readonly<Record<string, unknown>>, type: RecordType, tree: ReadTree, where: string): Record<string, CedarValueJson> {
  return projectRecord(value, type, tree, where, { characters: 0, elements: 0 });
}

type Used = { characters: number; elements: number };

function projectRecord(value: Readonly<Record<string, unknown>>, type: RecordType, tree: ReadTree, where: string, used: Used): Record<string, CedarValueJson> {
  const projected: Record<string, CedarValueJson> = {};
  for (const [name, below] of tree.below) {
    const field = type.fields.get(name);
    const present = Object.hasOwn(value, name) && value[name] !== undefined;
    const at = `${where}.${name}`;
    if (!present && field?.required) throw new Unrepresentable(`${at} is missing`);
    if (!present) continue;
    if (!field?.type) throw new Unrepresentable(`${at} has no type that policy can read`);
    projected[name] = projectValue(value[name], field.type, below, at, used);
  }
  return projected;
}

function projectValue(value: unknown, type: ValueType, tree: ReadTree, at: string, used: Used): CedarValueJson {
  used.elements += 1;
  if (used.elements > most.elements) throw new Unrepresentable(`${at}: more than ${most.elements} values`);
  switch (type.kind) {
    case 'string':
      if (typeof value !== 'string' || !value.isWellFormed()) break;
      used.characters += value.length;
      if (used.characters > most.characters) throw new Unrepresentable(`${at}: more than ${most.characters} characters`);
      return value;
    case 'bool':
      if (typeof value !== 'boolean') break;
      return value;
    case 'long':
      if (!Number.isSafeInteger(value)) break;
      return Number(value);
    case 'decimal': {
      const arg = decimalOf(value);
      if (arg === null) break;
      return { __extn: { fn: 'decimal', arg } };
    }
    case 'set': {
      if (!Array.isArray(value)) break;
      const { element } = type;
      return value.map((item, index) => projectValue(item, element, tree, `${at}[${index}]`, used));
    }
    case 'record': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) break;
      const fields = value as Record<string, unknown>;
      return projectRecord(fields, type, tree.whole ? everything(type, fields) : tree, at, used);
    }
  }
  throw new Unrepresentable(`${at} does not fit ${type.kind} exactly`);
}

/** A record read as a whole: every declared field and every key there is, so that an undeclared one is noticed. */
function everything(type: RecordType, value: Readonly<Record<string, unknown>>): ReadTree {
  const names = new Set([...type.fields.keys(), ...Object.keys(value)]);
  return { whole: true, below: new Map([...names].map((name) => [name, { whole: true, below: new Map() }])) };
}

const largest = 9_223_372_036_854_775_807n;

/** A number as Cedar's decimal literal: exactly, with one to four decimals, at most 922337203685477.5807 in size; else null. */
export function decimalOf(value: unknown): string | null {
  if (typeof value !== 'number') return null;
  const [, sign = '', whole, part = ''] = /^(-?)([0-9]+)(?:\.([0-9]{1,4}))?$/.exec(String(value)) ?? [];
  if (whole === undefined) return null;
  return BigInt(whole + part.padEnd(4, '0')) <= largest ? `${sign}${whole}.${part || '0'}` : null;
}

/** A key that starts with `__`, at any depth: the engine would read such an object as an entity or a function call. */
export function reservedKey(value: unknown): string | null {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, below] of Object.entries(next)) {
      if (key.startsWith('__')) return key;
      open.push(below);
    }
  }
  return null;
}
