import { describe, expect, it } from 'vitest';
import {
  acceptsOf,
  amountOf,
  brokeredName,
  definitionDigest,
  makeCatalogue,
  type ToolDefinition,
  toolManifest,
  toPolicyTool,
  upstreamDocument,
} from '../../tools/index.ts';

const labels = { effect: 'write', reaches: 'external', returns: { sensitivity: 'internal' } };
const definition: ToolDefinition = {
  name: 'pay',
  inputSchema: { type: 'object', properties: { iban: { type: 'string' }, amount: { type: 'number' }, fee: { type: 'number' } }, required: ['iban'] },
};
const pin = (pinned: ToolDefinition) => ({ tool: pinned.name, definition: pinned, digest: definitionDigest(pinned) });
const document = (...tools: object[]) =>
  upstreamDocument.parse({
    kind: 'Upstream',
    tenant: 'acme',
    name: 'ledger',
    transport: { type: 'stdio', command: 'c' },
    tools: tools.map((tool) => ({ ...labels, name: 'pay', ...tool })),
  });
const only = (manifest: object, pinned: ToolDefinition = definition) => {
  const { tools, problems } = makeCatalogue(document(manifest), [pin(pinned)]);
  if (tools[0] === undefined) throw new Error(JSON.stringify(problems));
  return tools[0];
};

describe('the catalogue', () => {
  it('names a tool after its upstream, and labels its results with the join of all fields', () => {
    const tool = only({
      returns: {
        sensitivity: 'internal',
        categories: ['pii'],
        integrity: 'tenant',
        fields: { '/memo': { integrity: 'external' }, '/salary': { sensitivity: 'restricted', categories: ['finance'] } },
      },
    });
    expect(tool).toMatchObject({ name: 'ledger__pay', digest: definitionDigest(definition) });
    expect(tool.label).toEqual({ sensitivity: 'restricted', categories: ['finance', 'pii'], integrity: 'external' });
  });

  it('does not let a field lower the label of the whole', () => {
    const tool = only({ returns: { sensitivity: 'confidential', integrity: 'external', fields: { '/id': { sensitivity: 'public', integrity: 'trusted' } } } });
    expect(tool.label).toEqual({ sensitivity: 'confidential', categories: [], integrity: 'external' });
  });

  it.each([
    [{ reaches: 'external' }, 'public'],
    [{ reaches: 'tenant' }, 'restricted'],
    [{ reaches: 'external', accepts: 'internal' }, 'internal'],
  ])('takes %j to accept at most %s', (manifest, accepts) => {
    const tool = only(manifest);
    expect(acceptsOf(tool.manifest)).toBe(accepts);
    expect(toPolicyTool(tool)).toMatchObject({ name: 'ledger__pay', upstream: 'ledger', effect: 'write', accepts, inputSchema: tool.inputSchema });
  });

  it.each([
    ['no pin', {}, [], /does not list it/],
    ['a name that does not fit', { name: 'a.b' }, [pin({ ...definition, name: 'a.b' })], /does not fit/],
    ['a name too long', { name: 'x'.repeat(60) }, [pin({ ...definition, name: 'x'.repeat(60) })], /does not fit/],
    ['a target the schema lacks', { targets: { account: 'iban' } }, [pin(definition)], /no argument `account`/],
    ['an idempotency argument the schema lacks', { idempotency: 'argument:key' }, [pin(definition)], /no argument `key`/],
    ['a pin that was tampered with', {}, [{ ...pin(definition), digest: 'f'.repeat(64) }], /does not have the pinned digest/],
    [
      'a schema that cannot be run',
      {},
      [pin({ ...definition, inputSchema: { type: 'object', properties: { a: { pattern: '(?=a)' } } } })],
      /cannot be checked/,
    ],
    ['a schema that is not of an object', {}, [pin({ ...definition, inputSchema: { type: 'string' } })], /not of type object/],
  ])('has a problem and no tool for %s', (_, manifest, pins, cause) => {
    const { tools, problems } = makeCatalogue(document(manifest), pins);
    expect(tools).toEqual([]);
    expect(problems).toMatchObject([{ cause: expect.stringMatching(cause), remedy: expect.stringMatching(/./) }]);
  });

  it('has a problem for the second of two tools under one name', () => {
    const { tools, problems } = makeCatalogue(document({}, { name: 'other', as: 'pay' }), [pin(definition), pin({ ...definition, name: 'other' })]);
    expect(tools).toHaveLength(1);
    expect(problems).toMatchObject([{ manifest: { name: 'other' } }]);
  });

  it('names a tool as the manifest says when its own name does not fit', () => {
    const manifest = toolManifest.parse({ ...labels, name: 'a.b', as: 'a_b' });
    expect(brokeredName('ledger', manifest)).toBe('ledger__a_b');
    expect(brokeredName('x'.repeat(20), { ...manifest, as: 'y'.repeat(42) })).toHaveLength(64);
    expect(brokeredName('x'.repeat(20), { ...manifest, as: 'y'.repeat(43) })).toBeNull();
  });
});

describe('the schema agents see', () => {
  it('refuses an argument nobody declared', () => {
    const tool = only({});
    expect(tool.validate({ iban: 'x' })).toEqual([]);
    expect(tool.validate({ iban: 'x', bcc: 'y' })).toEqual([{ path: '/bcc', problem: 'is not an argument this tool takes' }]);
  });

  it('refuses it even where the upstream says that any is welcome', () => {
    expect(only({}, { ...definition, inputSchema: { ...definition.inputSchema, additionalProperties: true } }).validate({ iban: 'x', bcc: 'y' })).toHaveLength(
      1,
    );
    expect(only({}, { ...definition, inputSchema: { type: 'object' } }).validate({ bcc: 'y' })).toHaveLength(1);
  });

  it('stands as the upstream closed it, which is stricter than what would close it beside other keywords', () => {
    const inputSchema = { type: 'object', properties: { iban: { type: 'string' } }, allOf: [{ properties: { bcc: {} } }], additionalProperties: false };
    const tool = only({}, { ...definition, inputSchema });
    expect(tool.inputSchema).toEqual(inputSchema);
    expect(tool.validate({ iban: 'x', bcc: 'y' })).toHaveLength(1);
  });

  it('lets it through when the manifest opens the tool', () => {
    expect(only({ additional_arguments: true }).validate({ iban: 'x', bcc: 'y' })).toEqual([]);
  });

  it('refuses it in declared objects below, and counts what composition declares as declared', () => {
    const inputSchema = {
      type: 'object',
      properties: {
        to: { type: 'object', properties: { mail: { type: 'string' } } },
        free: { type: 'object' },
        list: { type: 'array', items: { type: 'object', properties: { a: {} } } },
      },
      allOf: [{ properties: { also: { type: 'string' } } }],
    };
    const { validate } = only({}, { ...definition, inputSchema });
    expect(validate({ to: { mail: 'a' }, free: { any: 1 }, list: [{ a: 1 }], also: 'b' })).toEqual([]);
    expect(validate({ to: { mail: 'a', bcc: 'b' } })).toMatchObject([{ path: '/to/bcc' }]);
    expect(validate({ list: [{ b: 1 }] })).toMatchObject([{ path: '/list/0/b' }]);
    expect(validate({ other: 1 })).toMatchObject([{ path: '/other' }]);
  });

  it('mirrors no argument into a header, and keeps an argument of that name', () => {
    const inputSchema = {
      type: 'object',
      properties: {
        key: { type: 'string', 'x-mcp-header': 'Key' },
        'x-mcp-header': { type: 'string' },
        in: { anyOf: [{ 'x-mcp-header': 'A' }, { items: { 'x-mcp-header': 'B' } }] },
      },
      $defs: { a: { 'x-mcp-header': 'C' } },
    };
    const seen = only({ additional_arguments: true }, { ...definition, inputSchema }).inputSchema;
    expect(seen).toEqual({
      type: 'object',
      properties: { key: { type: 'string' }, 'x-mcp-header': { type: 'string' }, in: { anyOf: [{}, { items: {} }] } },
      $defs: { a: {} },
    });
  });
});

describe('the amount of a call', () => {
  const tool = only({ targets: { amount: 'amount', fee: 'amount', iban: 'iban' } });

  it.each([
    [{ amount: 600 }, 6_000_000],
    [{ amount: 0.1, fee: 0.2 }, 3_000],
    [{ amount: 1.0001 }, 10_001],
    [{ amount: 4.35 }, 43_500],
    [{ amount: 1.005 }, 10_050],
    [{ amount: '19.99' }, 199_900],
    [{ amount: 0 }, 0],
    [{}, 0],
  ])('of %j is %i ten-thousandths', (args, expected) => {
    expect(amountOf(tool, args)).toBe(expected);
  });

  it.each([
    [{ amount: 1.00001 }],
    [{ amount: 0.1 + 0.2 }],
    [{ amount: -1 }],
    [{ amount: Number.NaN }],
    [{ amount: Number.POSITIVE_INFINITY }],
    [{ amount: 1e21 }],
    [{ amount: 1e-7 }],
    [{ amount: 9_007_199_254_740_991 }],
    [{ amount: 900_000_000_000, fee: 900_000_000_000 }],
    [{ amount: '1e3' }],
    [{ amount: ' 1' }],
    [{ amount: '1,5' }],
    [{ amount: null }],
    [{ amount: [600] }],
    [{ amount: 1, fee: {} }],
  ])('of %j does not convert', (args) => {
    expect(amountOf(tool, args)).toBeNull();
  });
});
