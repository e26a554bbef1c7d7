import type { PolicySource, PolicyTool } from '../facts.ts';
import type { CedarSchema } from './cedar.ts';
import type { ReadTree } from './project.ts';
import { everything, type Slice } from './slice.ts';
import { attributeOf, type RecordType, recordOf, sameType, typeOf, type ValueType } from './value-types.ts';

/** One tool as the schema knows it. */
export interface ToolType {
  readonly name: string;
  readonly upstream: string;
  readonly args: RecordType;
}

type Attributes = Readonly<Record<string, unknown>>;

const string = { type: 'String' } as const;
const long = { type: 'Long' } as const;
const bool = { type: 'Boolean' } as const;
const strings = { type: 'Set', element: string } as const;
const record = <T extends Attributes>(attributes: T) => ({ type: 'Record', attributes }) as const;

const agent = record({ tenant: string, name: string, owner: string, workflow: string, clearance: long, status: string });
const tool = record({
  tenant: string,
  name: string,
  upstream: string,
  effect: string,
  reaches: string,
  accepts: long,
  sensitivity: long,
  categories: strings,
  integrity: long,
  pinned: bool,
});
const sponsor = record({ person: string, groups: strings, standing: string });
const session = record({
  id: string,
  tenant: string,
  use_case: string,
  mode: string,
  attested_by: string,
  live: bool,
  granted: bool,
  ceiling: long,
  age: long,
  calls: long,
  sensitivity: long,
  categories: strings,
  integrity: long,
});
const context = { tenant: string, sponsor, session, token: record({ bound: bool }), now: long, satisfied: strings };

export const actionType = 'Taskgate::Action';
export const allCalls = 'call';
export const upstreamGroup = (upstream: string): string => `upstream:${upstream}`;

/**
 * Stands for a tool wherever no condition speaks of actions: which it is makes no difference to the policies picked for it. No brokered
 * name is without `__`.
 */
export const anyTool = { name: 'tool', upstream: 'any' } as const;

/** The Cedar schema of some tools: one action each, in its upstream's group, in `call`, so that arguments are typed per tool. */
export const schemaOf = (tools: readonly ToolType[], inputs: RecordType): CedarSchema => sliceSchema(tools, inputs, everything);

/** `schemaOf`, of what a slice reads and no more. */
export function sliceSchema(tools: readonly ToolType[], inputs: RecordType, slice: Slice): CedarSchema {
  const upstreams = new Set(tools.map((one) => one.upstream));
  const actions: CedarSchema[string]['actions'] = { [allCalls]: {} };
  for (const upstream of upstreams) actions[upstreamGroup(upstream)] = { memberOf: [{ id: allCalls }] };
  for (const { name, upstream, args } of tools) {
    actions[name] = {
      memberOf: [{ id: upstreamGroup(upstream) }],
      appliesTo: {
        principalTypes: ['Agent'],
        resourceTypes: ['Tool'],
        context: part(record({ ...context, args: attributeOf(args), inputs: attributeOf(inputs) }), slice.context),
      },
    };
  }
  return {
    Taskgate: {
      entityTypes: {
        Agent: { shape: part(agent, slice.principal) },
        Upstream: { shape: record({ tenant: string }) },
        Tool: { memberOfTypes: ['Upstream'], shape: part(tool, slice.resource) },
      },
      actions,
    },
  };
}

/** What every request holds, whichever tool: its attributes of principal, resource and context, checked also where nobody reads them. */
export const common = { principal: agent, resource: tool, context: record(context) };

/** The first attribute that is not of its type, such as a time that is no whole number; null when all are. */
export function misfit({ attributes }: { readonly attributes: Attributes }, value: Readonly<Record<string, unknown>>): string | null {
  for (const name in attributes) {
    const type = attributes[name] as { readonly type: string; readonly attributes?: Attributes };
    const wrong = type.attributes
      ? misfit({ attributes: type.attributes }, Object(value[name]))
      : isOf[type.type as keyof typeof isOf](value[name])
        ? null
        : '';
    if (wrong !== null) return wrong === '' ? name : `${name}.${wrong}`;
  }
  return null;
}

const isOf = {
  String: (value: unknown): boolean => typeof value === 'string',
  Long: (value: unknown): boolean => Number.isSafeInteger(value),
  Boolean: (value: unknown): boolean => typeof value === 'boolean',
  Set: (value: unknown): boolean => Array.isArray(value) && value.every(isOf.String),
};

/** The read attributes of a record type; what is read below an attribute narrows it as well. */
function part<T extends { readonly type: 'Record'; readonly attributes: Attributes }>({ attributes }: T, tree: ReadTree): T {
  if (tree.whole) return record(attributes) as T;
  const kept: Record<string, unknown> = {};
  for (const [name, below] of tree.below) {
    if (!Object.hasOwn(attributes, name)) continue;
    const type = attributes[name] as { readonly type: string };
    kept[name] = type.type === 'Record' && !below.whole && below.below.size > 0 ? { ...type, ...part(type as T, below) } : type;
  }
  return record(kept) as unknown as T;
}

export const toolType = ({ name, upstream, inputSchema }: PolicyTool): ToolType => ({ name, upstream, args: recordOf(inputSchema) });

/** `context.inputs`: every input of every use case, all optional. One that two use cases type differently cannot be read. */
export function inputsOf(useCases: PolicySource['useCases']): RecordType {
  const fields = new Map<string, { type: ValueType | null; required: boolean }>();
  for (const { inputs } of useCases) {
    for (const [name, schema] of Object.entries(inputs)) {
      const type = name.startsWith('__') ? null : typeOf(schema);
      const known = fields.get(name);
      fields.set(name, { required: false, type: known && !sameType(known.type, type) ? null : type });
    }
  }
  return { kind: 'record', fields };
}
