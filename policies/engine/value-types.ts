import type { CedarValueJson, TypeOfAttribute } from '@cedar-policy/cedar-wasm/nodejs';

/** What policy can hold of a JSON value. A field whose type is null is declared but cannot be read by policy. */
export type ValueType = { readonly kind: 'string' | 'long' | 'decimal' | 'bool' } | { readonly kind: 'set'; readonly element: ValueType } | RecordType;

export interface RecordType {
  readonly kind: 'record';
  readonly fields: ReadonlyMap<string, { readonly type: ValueType | null; readonly required: boolean }>;
}

type Json = Readonly<Record<string, unknown>>;

const deepest = 8;
const scalars = { string: 'string', integer: 'long', number: 'decimal', boolean: 'bool' } as const;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The policy type of a JSON Schema: integer → Long, number → decimal, arrays of scalars → Set, objects → Record; else null. */
export function typeOf(schema: unknown, depth = 0): ValueType | null {
  if (!isObject(schema) || depth > deepest) return null;
  const name = typeName(schema);
  if (name === 'object') return recordOf(schema, depth);
  if (name === 'array') {
    const element = typeOf(schema['items'], depth + 1);
    return element && element.kind !== 'set' && element.kind !== 'record' ? { kind: 'set', element } : null;
  }
  return name !== null && Object.hasOwn(scalars, name) ? { kind: scalars[name as keyof typeof scalars] } : null;
}

/** The type of an object by its `properties`; names starting with `__` would be interpreted by the engine and stay unreadable. */
export function recordOf(schema: Json, depth = 0): RecordType {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return {
    kind: 'record',
    fields: new Map(
      Object.entries(properties).map(([name, property]) => [
        name,
        { type: name.startsWith('__') ? null : typeOf(property, depth + 1), required: required.includes(name) },
      ]),
    ),
  };
}

/** One type name; nullable (`["string", "null"]`) counts as the other one, and null itself never fits. */
function typeName(schema: Json): string | null {
  const type = schema['type'];
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) {
    const others = type.filter((name) => name !== 'null');
    return others.length === 1 && typeof others[0] === 'string' ? others[0] : null;
  }
  if (type === undefined && Array.isArray(schema['enum']) && schema['enum'].every((value) => typeof value === 'string')) return 'string';
  return null;
}

export function sameType(a: ValueType | null, b: ValueType | null): boolean {
  return JSON.stringify(a && attributeOf(a)) === JSON.stringify(b && attributeOf(b));
}

/** The type as Cedar's JSON schema writes it. */
export function attributeOf(type: ValueType): TypeOfAttribute<string> {
  switch (type.kind) {
    case 'string':
      return { type: 'String' };
    case 'long':
      return { type: 'Long' };
    case 'bool':
      return { type: 'Boolean' };
    case 'decimal':
      return { type: 'Extension', name: 'decimal' };
    case 'set':
      return { type: 'Set', element: attributeOf(type.element) };
    case 'record': {
      const attributes: Record<string, TypeOfAttribute<string>> = {};
      for (const [name, field] of type.fields) {
        if (field.type) attributes[name] = { ...attributeOf(field.type), required: field.required };
      }
      return { type: 'Record', attributes };
    }
  }
}

/** Some value of the type: what a request must carry where no policy looks at it. */
export function sampleOf(type: ValueType): CedarValueJson {
  switch (type.kind) {
    case 'string':
      return '';
    case 'long':
      return 0;
    case 'bool':
      return false;
    case 'decimal':
      return { __extn: { fn: 'decimal', arg: '0.0' } };
    case 'set':
      return [];
    case 'record': {
      const sample: Record<string, CedarValueJson> = {};
      for (const [name, field] of type.fields) {
        if (field.type && field.required) sample[name] = sampleOf(field.type);
      }
      return sample;
    }
  }
}
