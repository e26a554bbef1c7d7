import { afterEach, describe, expect, test } from 'vitest';
import { decide } from '../../policies/engine/decide.ts';
import { withEngine } from '../../policies/engine/instance.ts';
import { type Law, makeLaw, sets } from '../../policies/engine/law.ts';
import { inputsOf } from '../../policies/engine/schema.ts';
import { type PolicySource, type TrapNotice, testPolicy, vetDigest, vetPolicy, watchTraps } from '../../policies/index.ts';
import { platformPolicies } from '../../policies/platform-rules.ts';
import { inThrowAway } from '../../policies/vet/throw-away.ts';
import { askIn } from '../../policies/vet/vet-policy.ts';
import { acme, call, compiled, permit, policyFiles, source } from './tenants.ts';

const worker = (name: string): URL => new URL(`./fixtures/${name}.ts`, import.meta.url);
const allowance = { ms: 20_000, heapMb: 64, residentMb: 4096 };

/** Whatever became of a process or an instance, the engine in this process answers the next call. */
afterEach(async () => {
  expect((await compiled(source(permit))).decide(call()).decision).toBe('allow');
});

describe('a throw-away process', () => {
  test('that traps is told apart from an answer, with the text it was at', async () => {
    expect(await inThrowAway(worker('traps'), {}, allowance)).toEqual({ died: expect.stringContaining('memory access'), at: 'acme/nested.cedar' });
  });

  test('that hangs is ended at its wall-clock limit', async () => {
    expect(await inThrowAway(worker('hangs'), {}, { ...allowance, ms: 2000 })).toEqual({
      died: 'it took longer than 2 seconds',
      at: 'acme/endless.cedar',
    });
  });

  test('that exhausts its heap, or memory outside it, dies alone', async () => {
    expect(await inThrowAway(worker('exhausts'), {}, allowance)).toMatchObject({ died: expect.stringMatching(/memory/) });
    expect(await inThrowAway(worker('grows'), {}, { ...allowance, residentMb: 200 })).toMatchObject({ died: 'it took too much memory' });
  });

  test('that ends without a word has died', async () => {
    expect(await inThrowAway(worker('exits'), {}, allowance)).toEqual({ died: 'it ended with 0', at: null });
  });

  test('leaves its place to the next: more than run at once are all answered', async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => inThrowAway(worker('exits'), {}, allowance)));
    expect(outcomes).toEqual(Array(5).fill({ died: 'it ended with 0', at: null }));
  });
});

describe('a law is vetted apart', () => {
  const shipped: PolicySource = { ...acme, files: policyFiles('acme') };

  test('and one that holds has nothing to say', async () => {
    expect(await vetPolicy(shipped)).toEqual([]);
    expect(await testPolicy(shipped)).toMatchObject({ problems: [], untested: [] });
  });

  test('with the same problems, cases and untested policies that compiling here would find', async () => {
    expect(await vetPolicy(source('permit'))).toMatchObject([{ file: 'acme/made-up.cedar', cause: expect.any(String) }]);
    expect((await testPolicy(source(permit))).untested).toEqual(['acme/matcher']);
  });

  test('and one that a process does not survive is a problem of the file it was at, with what to do', async () => {
    const problems = await askIn(worker('traps'), { ask: 'test', source: shipped }, allowance);
    expect(problems.problems).toEqual([
      {
        file: 'acme/nested.cedar',
        line: null,
        policy: null,
        cause: expect.stringMatching(/^The policy engine did not survive this text: .*memory/),
        remedy: expect.stringContaining('what is in force is as it was'),
      },
    ]);
    const only = await askIn(worker('exits'), { ask: 'compile', source: source(permit) }, allowance);
    expect(only.problems).toMatchObject([{ file: 'acme/made-up.cedar' }]);
    const unknown = await askIn(worker('exits'), { ask: 'compile', source: shipped }, allowance);
    expect(unknown.problems).toMatchObject([{ file: '(policies)' }]);
  });

  test('and text that is too large is not handed over at all', async () => {
    const huge = '// '.padEnd(10_000_000, 'x');
    const began = performance.now();
    expect(await vetPolicy(source(huge))).toMatchObject([{ file: 'acme/made-up.cedar', cause: expect.stringContaining('larger than 65536') }]);
    expect(await vetPolicy({ ...shipped, files: [{ file: 'acme/a.cedar', text: permit, cases: huge }] })).toMatchObject([{ file: 'acme/a.cases.yaml' }]);
    const many = Array.from({ length: 30 }, (_, index) => ({ file: `acme/${index}.cedar`, text: '// '.padEnd(60_000, 'x'), cases: null }));
    expect(await vetPolicy({ ...shipped, files: many })).toMatchObject([{ cause: expect.stringContaining('together') }]);
    const files = Array.from({ length: 201 }, (_, index) => ({ file: `acme/${index}.cedar`, text: '', cases: null }));
    expect(await vetPolicy({ ...shipped, files })).toMatchObject([{ cause: expect.stringContaining('More than 200') }]);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test('its digest moves with everything that decides whether it compiles and its cases hold', () => {
    const [file] = shipped.files;
    if (!file) throw new Error('no file');
    const others: PolicySource[] = [
      { ...shipped, tenant: 'globex' },
      { ...shipped, files: [{ ...file, text: `${file.text} ` }] },
      { ...shipped, files: [{ ...file, cases: null }] },
      { ...shipped, tools: shipped.tools.slice(1) },
      { ...shipped, agents: [] },
      { ...shipped, useCases: [] },
    ];
    expect(new Set([shipped, ...others].map(vetDigest)).size).toBe(others.length + 1);
    expect(vetDigest(JSON.parse(JSON.stringify(shipped)))).toBe(vetDigest(shipped));
  });
});

describe('a trap of the live engine', () => {
  /** A law whose text for one tool is put past the limits and past lint: 1,000 additions parse, and trap when evaluated. */
  function trapping(condition: string): Law {
    const law = makeLaw('acme', platformPolicies(), acme.tools, inputsOf(acme.useCases));
    const tool = law.tools.get('ledger__post_payment');
    if (!tool) throw new Error('no such tool');
    const texts = { [sets.call]: { evil: `permit (principal, action, resource) when { ${condition} };` } };
    return { ...law, tools: new Map([['ledger__post_payment', { ...tool, prepared: { ...tool.prepared, sets: texts } }]]) };
  }
  const deadly = `${Array(1000).fill('1').join('+')} == 1`;

  test('denies that call only: the next, also of another tenant, is judged by an engine made anew', async () => {
    const ours = await compiled(source(permit));
    const notices: TrapNotice[] = [];
    const unwatch = watchTraps((notice) => notices.push(notice));
    const law = trapping(deadly);
    expect(decide(law, call())).toMatchObject({ decision: 'deny', cause: 'error', detail: expect.stringMatching(/memory|stack/) });
    expect(ours.decide(call()).decision).toBe('allow');
    expect(notices).toMatchObject([{ tenant: 'acme', slot: 'acme/ledger__post_payment', traps: 1, quarantined: false }]);
    unwatch();
  });

  test('twice by one law quarantines it, and no other', async () => {
    const ours = await compiled(source(permit));
    const notices: TrapNotice[] = [];
    const unwatch = watchTraps((notice) => notices.push(notice));
    const law = trapping(deadly);
    for (let count = 0; count < 5; count++) {
      expect(decide(law, call())).toMatchObject({ decision: 'deny', cause: 'error' });
      expect(ours.decide(call()).decision).toBe('allow');
    }
    expect(notices.map(({ quarantined }) => quarantined)).toEqual([false, true]);
    expect(decide(law, call())).toMatchObject({ detail: expect.stringContaining('ended the policy engine 2 times') });
    unwatch();
  });

  test('in the parser is survived as well', async () => {
    const nested = `permit (principal, action, resource) when { ${'('.repeat(150)}true${')'.repeat(150)} };`;
    for (let count = 0; count < 3; count++) expect(() => withEngine((engine) => engine.policyToJson(nested))).toThrow('memory access');
    expect(withEngine((engine) => engine.policyToJson('permit (principal, action, resource);')).type).toBe('success');
  });

  test('does not come from values that cannot be converted, however many: each leaves the engine whole, and nobody is quarantined', async () => {
    const ours = await compiled(source(permit));
    const notices: TrapNotice[] = [];
    const unwatch = watchTraps((notice) => notices.push(notice));
    for (let count = 0; count < 20; count++) expect(ours.decide(call({ now: 1n as unknown as number }))).toMatchObject({ decision: 'deny', cause: 'error' });
    expect(ours.decide(call()).decision).toBe('allow');
    expect(notices).toEqual([]);
    unwatch();
  });
});
