import { describe, expect, test } from 'vitest';
import { parsePolicies } from '../../policies/engine/parse-policies.ts';
import { inputsOf } from '../../policies/engine/schema.ts';
import { compilePolicy } from '../../policies/index.ts';
import { lint } from '../../policies/lint/index.ts';
import { acme, causes, invoice, payment, permit, search, source } from './tenants.ts';

const forbid = (rest: string, annotations = '@id("acme/rule") @reason("rule")') =>
  `${permit}${annotations} forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource) ${rest};`;
const permitting = (scope: string, rest: string) => `@id("acme/permit") permit (${scope}) ${rest};`;
const anyCall = 'principal, action in Taskgate::Action::"call", resource';

describe('requirements stand in one form', () => {
  const refused: readonly [string, string][] = [
    ['when { !context.satisfied.contains("approval:finance") }', 'in another way'],
    ['when { context.satisfied.contains("approval:finance") }', 'in another way'],
    ['unless { !context.satisfied.contains("approval:finance") }', 'in another way'],
    ['unless { context.satisfied.contains("approval:finance") || context.now > 0 }', 'in another way'],
    ['unless { context.now > 0 && context.satisfied.contains("approval:finance") }', 'in another way'],
    ['unless { context.satisfied.containsAny(["approval:finance"]) }', 'in another way'],
    ['unless { context.satisfied.containsAll(["approval:finance", "confirm:sponsor"]) }', 'in another way'],
    ['unless { context.satisfied.contains(context.args.iban) }', 'in another way'],
    ['unless { context.satisfied.isEmpty() }', 'in another way'],
    ['unless { ["approval:finance"].containsAny(context.satisfied) }', 'in another way'],
    ['unless { if true then context.satisfied.contains("approval:finance") else false }', 'in another way'],
    ['unless { {a: context.satisfied}.a.contains("approval:finance") }', 'in another way'],
    ['when { context.satisfied == ["approval:finance"] }', 'in another way'],
    ['unless { context.satisfied.contains("approval:finance") } unless { context.satisfied.contains("confirm:sponsor") }', 'more than one requirement'],
    ['unless { context.satisfied.contains("approval:finance:1") }', 'is not a requirement'],
    ['unless { context.satisfied.contains("approval:finance:0") }', 'is not a requirement'],
    ['unless { context.satisfied.contains("approval") }', 'is not a requirement'],
    ['unless { context.satisfied.contains("approve:finance") }', 'is not a requirement'],
    ['unless { context.satisfied.contains("confirm:owner") }', 'is not a requirement'],
    ['unless { context.satisfied.contains("") }', 'is not a requirement'],
  ];
  test.each(refused)('refused: %s', async (rest, cause) => {
    expect(await causes(source(forbid(rest)))).toContainEqual(expect.stringContaining(cause));
  });

  const accepted = [
    'approval:finance',
    'approval:finance:2',
    'approval:finance:99:passkey',
    'approval:finance:passkey',
    'confirm:sponsor',
    'confirm:sponsor:passkey',
    'redact:pii',
  ];
  test.each(accepted)('accepted: %s', async (literal) => {
    expect(
      await causes(source(forbid(`when { context.args.amount.greaterThan(decimal("1.0")) } unless { context.satisfied.contains("${literal}") }`))),
    ).toEqual([]);
  });

  test('a permit cannot read what is satisfied', async () => {
    const text = permitting(anyCall, 'when { principal.workflow == "invoice-matching" && context.satisfied.contains("approval:finance") }');
    expect(await causes(source(text))).toEqual([expect.stringContaining('in another way')]);
  });
});

describe('permits name an action, and an agent or a workflow', () => {
  const refused: readonly [string, string, string][] = [
    ['principal, action, resource', 'when { principal.workflow == "invoice-matching" }', 'any action'],
    [anyCall, '', 'no agent or workflow'],
    [anyCall, 'when { principal.clearance > 1 }', 'no agent or workflow'],
    [anyCall, 'when { principal.workflow != "invoice-matching" }', 'no agent or workflow'],
    [anyCall, 'when { !(principal.workflow == "exploration") }', 'no agent or workflow'],
    [anyCall, 'unless { principal.workflow == "exploration" }', 'no agent or workflow'],
    [anyCall, 'when { principal.workflow == "invoice-matching" || context.now > 0 }', 'no agent or workflow'],
    [anyCall, 'when { principal.workflow == principal.name }', 'no agent or workflow'],
    [anyCall, 'when { principal.workflow like "*" }', 'no agent or workflow'],
    ['principal is Taskgate::Agent, action in Taskgate::Action::"call", resource', '', 'no agent or workflow'],
  ];
  test.each(refused)('refused: permit (%s) %s', async (scope, rest, cause) => {
    expect(await causes(source(permitting(scope, rest)))).toEqual([expect.stringContaining(cause)]);
  });

  const accepted: readonly [string, string][] = [
    [anyCall, 'when { principal.workflow == "invoice-matching" && context.token.bound }'],
    [anyCall, 'when { "invoice-matching" == principal.workflow }'],
    [anyCall, 'when { principal.workflow == "invoice-matching" || principal.name == "explorer" }'],
    [anyCall, 'when { ["invoice-matching", "exploration"].contains(principal.workflow) }'],
    [anyCall, 'when { principal == Taskgate::Agent::"acme/explorer" }'],
    [anyCall, 'when { principal in [Taskgate::Agent::"acme/explorer"] }'],
    ['principal == Taskgate::Agent::"acme/explorer", action == Taskgate::Action::"ledger__get_invoice", resource', ''],
  ];
  test.each(accepted)('accepted: permit (%s) %s', async (scope, rest) => {
    expect(await causes(source(permitting(scope, rest)))).toEqual([]);
  });
});

describe('ids, reasons and annotations', () => {
  const refused: readonly [string, string][] = [
    ['@reason("x")', 'no `@id`'],
    ['@id @reason("x")', 'no `@id`'],
    ['@id("rule") @reason("x")', 'is not `acme/`'],
    ['@id("globex/rule") @reason("x")', 'is not `acme/`'],
    ['@id("platform/rule") @reason("x")', 'is not `acme/`'],
    ['@id("acme/") @reason("x")', 'is not `acme/`'],
    ['@id("acme/a/b") @reason("x")', 'is not `acme/`'],
    ['@id("acme/matcher") @reason("x")', 'already used'],
    ['@id("acme/rule")', 'no `@reason`'],
    ['@id("acme/rule") @reason("  ")', 'no `@reason`'],
    ['@id("acme/rule") @reason("x") @tier("platform")', '`@tier` is not known'],
    ['@id("acme/rule") @reason("x") @expires("30m")', 'asks nobody'],
    ['@id("acme/rule") @reason("x") @break_glass', 'asks no people'],
  ];
  test.each(refused)('refused: %s', async (annotations, cause) => {
    expect(await causes(source(forbid('when { context.now > 5 }', annotations)))).toEqual([expect.stringContaining(cause)]);
  });

  test.each(['30', '0m', '30 m', '25h', '2d', 'soon'])('an @expires of %s is refused', async (expires) => {
    const text = forbid('unless { context.satisfied.contains("confirm:sponsor") }', `@id("acme/rule") @reason("x") @expires("${expires}")`);
    expect(await causes(source(text))).toEqual([expect.stringContaining('not a duration')]);
  });

  test.each([
    ['approval:finance:2', '@break_glass', []],
    ['confirm:sponsor', '@break_glass', []],
    ['approval:finance', '@break_glass("always")', ['has a value']],
    ['redact:pii', '@break_glass', ['asks no people']],
  ])('a forbid that asks %s and is marked %s', async (literal, mark, found) => {
    const text = forbid(`unless { context.satisfied.contains("${literal}") }`, `@id("acme/rule") @reason("x") ${mark}`);
    expect(await causes(source(text))).toEqual(found.map((cause) => expect.stringContaining(cause)));
  });

  test('a permit and a rule of the platform are not marked @break_glass', async () => {
    expect(await causes(source(permit.replace('permit (', '@break_glass permit (')))).toEqual([expect.stringContaining('asks no people')]);
    const { policies } = parsePolicies(
      'rules',
      forbid('unless { context.satisfied.contains("confirm:sponsor") }', '@id("platform/rule") @reason("x") @break_glass'),
    );
    const problems = lint(policies.slice(1), { prefix: 'platform', effects: 'forbids', tools: acme.tools, inputs: inputsOf([]), agents: [], workflows: [] });
    expect(problems.map(({ cause }) => cause)).toContain('A platform rule is marked `@break_glass`');
  });

  test.each([
    ['approval:finance:2', 'standing', []],
    ['approval:finance:2', 'votes', ['other than `standing`']],
    ['confirm:sponsor', 'standing', ['asks for no approval that can stand']],
    ['approval:finance:2:passkey', 'standing', ['asks for no approval that can stand']],
  ])('a forbid that asks %s may say @accepts("%s"): %j', async (literal, what, refused) => {
    const text = forbid(`unless { context.satisfied.contains("${literal}") }`, `@id("acme/rule") @reason("x") @accepts("${what}")`);
    expect(await causes(source(text))).toEqual(refused.map((cause) => expect.stringContaining(cause)));
  });

  test('an id used in two files is refused, naming the first', async () => {
    const twice = ['a.cedar', 'b.cedar'].map((file) => ({ file, text: permit, cases: null }));
    expect(await compilePolicy({ ...acme, files: twice })).toMatchObject({
      problems: [{ file: 'b.cedar', cause: expect.stringContaining('a.cedar, line 1') }],
    });
  });
});

describe('what a policy reads', () => {
  const refused: readonly [string, string][] = [
    ['when { context.args has amuont }', '`amuont`'],
    ['when { !(context.args has amuont) }', '`amuont`'],
    ['when { context.args has amuont || context.now > 1 }', '`amuont`'],
    ['when { context.inputs has order }', '`order`'],
    ['when { principal has shadow || context.now > 1 }', 'always there, or never'],
    ['when { context.session has id }', 'always there, or never'],
    ['when { context has args }', 'always there, or never'],
    ['when { context.args == context.args }', 'used as a whole'],
    ['when { {a: context.args}.a.amount.greaterThan(decimal("1.0")) }', 'used as a whole'],
    ['when { (if context.now > 1 then context.args else context.args).amount.greaterThan(decimal("1.0")) }', 'used as a whole'],
    ['when { {c: context}.c.args.amount.greaterThan(decimal("1.0")) }', 'used as a whole'],
    ['when { principal == Taskgate::Agent::"globex/invoice-clerk" }', 'is not of acme'],
    ['when { resource in [Taskgate::Upstream::"globex/ledger"] }', 'is not of acme'],
  ];
  test.each(refused)('refused: %s', async (rest, cause) => {
    expect(await causes(source(forbid(rest)))).toContainEqual(expect.stringContaining(cause));
  });

  const teaching: readonly [what: string, text: string, cause: string, remedy: string][] = [
    ['an annotation', forbid('when { context.now > 5 }', '@id("acme/rule") @raeson("x") @reason("x")'), '`@raeson` is not known', 'Did you mean `reason`?'],
    ['a requirement', forbid('unless { context.satisfied.contains("aproval:finance:2") }'), 'is not a requirement', 'Did you mean `approval:finance:2`?'],
    ['an argument', forbid('when { context.args has amuont }'), 'has an argument `amuont`', 'Did you mean `amount`?'],
    ['an input', forbid('when { context.inputs has invoise }'), 'has an input `invoise`', 'Did you mean `invoice`?'],
    [
      'a workflow',
      permitting(anyCall, 'when { principal.workflow == "invoice-macthing" }'),
      'no workflow `invoice-macthing`',
      'Did you mean `invoice-matching`?',
    ],
    [
      'a workflow among others',
      permitting(anyCall, 'when { ["exploration", "explorating"].contains(principal.workflow) }'),
      'no workflow `explorating`',
      'Did you mean `exploration`?',
    ],
    ['a forbidden workflow', forbid('when { principal.workflow != "invoice-matchin" }'), 'no workflow `invoice-matchin`', 'Did you mean `invoice-matching`?'],
    ['an agent by name', forbid('when { principal.name == "invoice-macher" }'), 'no agent `invoice-macher`', 'Did you mean `invoice-matcher`?'],
    ['an agent', forbid('when { principal == Taskgate::Agent::"acme/invoice-macher" }'), 'is not there', 'Did you mean `invoice-matcher`?'],
    ['a tool', forbid('when { resource == Taskgate::Tool::"acme/ledger__post_paymnet" }'), 'is not there', 'Did you mean `ledger__post_payment`?'],
    ['an upstream', forbid('when { resource in Taskgate::Upstream::"acme/legder" }'), 'is not there', 'Did you mean `ledger`?'],
    [
      'an action',
      `${permit}@id("acme/r") @reason("r") forbid (principal, action == Taskgate::Action::"ledger__post_paymnet", resource);`,
      'ledger__post_paymnet',
      'ledger__post_payment',
    ],
    ['an attribute', forbid('when { principal.clearence > 1 }'), 'clearence', 'clearance'],
  ];
  test.each(teaching)('misspelt, %s is refused with file, line, policy and the word that was meant', async (_, text, cause, remedy) => {
    const answer = await compilePolicy(source(text));
    expect('problems' in answer && answer.problems).toContainEqual({
      file: 'acme/made-up.cedar',
      line: expect.any(Number),
      policy: expect.stringMatching(/^acme\//),
      cause: expect.stringContaining(cause),
      remedy: expect.stringContaining(remedy),
    });
  });

  test('entities of another tenant in a scope are refused', async () => {
    for (const scope of [
      'principal == Taskgate::Agent::"globex/x", action, resource',
      'principal, action, resource is Taskgate::Tool in Taskgate::Upstream::"globex/ledger"',
    ]) {
      expect(await causes(source(`@id("acme/r") @reason("r") forbid (${scope});`))).toEqual([expect.stringContaining('is not of acme')]);
    }
  });

  test('an effect whose argument policy cannot read is refused; a read is denied when the argument comes', async () => {
    const odd = { type: 'object', properties: { amount: { anyOf: [{ type: 'number' }, { type: 'string' }] } } };
    const text = `${permit}@id("acme/r") @reason("r") forbid (principal, action in Taskgate::Action::"call", resource) when { context.args has amount && context.args.amount.greaterThan(decimal("1.0")) };`;
    const write = { ...search, name: 'mail__move', effect: 'write', inputSchema: odd } as const;
    expect(await causes(source(text, { tools: [payment, write] }))).toEqual([expect.stringContaining('of mail__move has no type')]);
    expect(await causes(source(text, { tools: [payment, { ...invoice, inputSchema: odd }] }))).toEqual([]);
  });

  test('strict validation speaks with file, line, id and remedy, and its warnings count', async () => {
    const misspelt = await compilePolicy(source(forbid('when {\n  principal.clearence > 1\n}')));
    expect(misspelt).toMatchObject({
      problems: [
        { file: 'acme/made-up.cedar', line: 5, policy: 'acme/rule', cause: expect.stringContaining('clearence'), remedy: expect.stringContaining('clearance') },
      ],
    });
    expect(await causes(source(forbid('when { context.now > 1 && false }')))).toEqual([expect.stringContaining('impossible')]);
    expect(await causes(source(forbid('').replace('ledger__post_payment', 'ledger__gone')))).toContainEqual(expect.stringContaining('ledger__gone'));
  });

  test('a syntax error is told by its line', async () => {
    expect(await compilePolicy(source(forbid('when {\n context.now >> 1 }')))).toMatchObject({ problems: [{ file: 'acme/made-up.cedar', line: 5 }] });
  });

  test('templates are refused', async () => {
    expect(await causes(source('@id("acme/t") @reason("r") forbid (principal == ?principal, action, resource);'))).toEqual([
      expect.stringContaining('without slots'),
    ]);
  });
});
