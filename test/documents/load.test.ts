import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platformRules } from '../../policies/index.ts';
import { type Kind, loadPaths, loadTexts } from '../../server/documents/index.ts';
import { texts } from './world.ts';

const load = (text: string, source = 'x.yaml') => loadTexts([{ source, text }]);

describe('reading the samples', () => {
  it('finds every kind, for both tenants, without a problem', async () => {
    const { documents, policies, problems } = await loadPaths(['policies', 'tools/registry']);
    expect(problems).toEqual([]);
    const kinds: readonly Kind[] = ['Platform', 'Tenant', 'Agent', 'UseCase', 'Upstream', 'Credential'];
    for (const tenant of ['acme', 'globex']) {
      for (const kind of kinds.slice(1))
        expect(
          documents.some((one) => one.kind === kind && one.tenant === tenant),
          `${tenant} ${kind}`,
        ).toBe(true);
      expect(policies.some((one) => one.tenant === tenant && one.cases !== null)).toBe(true);
    }
    expect(documents.filter(({ kind }) => kind === 'Platform')).toHaveLength(1);
  });

  it('makes the paths of the operator’s document absolute, from wherever it is read', async () => {
    const { documents } = await loadPaths(['policies/platform.yaml']);
    const body = documents[0]?.body;
    if (body?.kind !== 'Platform') throw new Error('no Platform');
    expect(body.commands['sample-ledger']?.run).toEqual(['node', join(process.cwd(), 'tools/samples/ledger.ts')]);
    expect(body.commands['sample-files']?.allow_write).toEqual([join(process.cwd(), 'tools/samples/files')]);
    expect(body.tenants['acme']?.trust[0]).toMatchObject({ bundle: 'local' });
  });
});

describe('hostile and mistaken YAML', () => {
  const agent = texts['agent.yaml'];
  const rows: readonly [name: string, text: string, line: number, path: string, remedy: RegExp][] = [
    ['a field that is not known', agent.replace('owner: ada', 'ownr: ada'), 4, 'ownr', /`owner`/],
    ['a field that is missing', agent.replace('owner: ada\n', ''), 1, 'owner', /text/],
    ['a kind that is not known', 'kind: Agnet\n', 1, 'kind', /`Agent`/],
    ['no kind', '\n\nname: x\n', 3, '', /`kind`/],
    ['a list instead of a document', '- a\n', 1, '', /map/],
    ['a value that is not one of few', agent.replace('clearance: internal', 'clearance: secret'), 8, 'clearance', /public, internal, confidential, restricted/],
    ['a date no month has', agent.replace('2030-06-30', '2030-02-31'), 9, 'expires', /day/],
    ['a date that is none', agent.replace('2030-06-30', 'tomorrow'), 9, 'expires', /YYYY-MM-DD/],
    ['a private key in an identity', agent.replace(/identity: .*/, 'identity: { jwk: { kty: OKP, d: x } }'), 7, 'identity.jwk', /public key/],
    ['a SPIFFE ID without a path', agent.replace('/agent/gardener', ''), 7, 'identity', /SPIFFE/],
    ['a repeated field', `${agent}owner: ben\n`, 11, 'owner', /one/],
    [
      'a repeated field further in',
      texts['tenant.yaml'].replace('{ subject: "local#ada"', '{ subject: x, subject: "local#ada"'),
      5,
      'people.ada.subject',
      /one/,
    ],
    ['an unclosed list', 'kind: Tenant\nname: x\ndomains: [a\n', 4, '', /plain YAML/],
    ['a tab as indentation', 'kind: Tenant\npeople:\n\tada: 1\n', 3, '', /plain YAML/],
    ['a tag that makes objects', 'kind: Tenant\nname: !!js/function "x"\n', 2, '', /no tags/],
    ['a tag that makes bytes', 'kind: Tenant\nname: !!binary aGk=\n', 2, 'name', /text/],
    ['a tag that makes sets', 'kind: Tenant\nname: t\ndomains: !!set { a }\n', 3, 'domains', /tag|text/i],
    ['a directive of YAML 1.1', '%YAML 1.1\n---\nkind: Tenant\nname: x\n', 2, '', /%YAML/],
    ['a field named __proto__', 'kind: Tenant\nname: x\n__proto__: { personal: true }\n', 3, '', /Rename/],
    ['a person named __proto__', 'kind: Tenant\nname: x\npeople:\n  __proto__: { subject: "local#x" }\n', 4, 'people', /Rename/],
    ['a merge key', 'kind: Tenant\nname: x\n<<: { personal: true }\n', 3, '"<<"', /Remove/],
    ['a number beyond 2^53', 'kind: Tenant\nname: x\npersonal: 9007199254740993\n', 3, 'personal', /2\^53/],
    ['not a number', 'kind: Tenant\nname: x\npersonal: .nan\n', 3, 'personal', /2\^53/],
    ['an infinite number', 'kind: Tenant\nname: x\npersonal: 1e999\n', 3, 'personal', /2\^53/],
    ['a lone surrogate', 'kind: Tenant\nname: "\\uD800"\n', 2, 'name', /without them/],
    ['an override of the reading order', agent.replace('Looks after', 'Looks \u202eafter'), 5, 'purpose', /without them/],
    ['an invisible character', agent.replace('Looks after', 'Looks\u200b after'), 5, 'purpose', /without them/],
    ['a NUL', 'kind: Tenant\nname: "a\\0"\n', 2, 'name', /without them/],
    ['a key that is a list', 'kind: Tenant\nname: x\n? [a]\n: b\n', 3, '', /plain YAML/],
    ['aliases that multiply', `a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nkind: [*c,*c,*c,*c,*c]\n`, 1, '', /out/],
    ['brackets without end', `kind: ${'['.repeat(500_000)}`, 1, '', /64/],
    ['blocks in blocks on a line', `kind: ${'- '.repeat(400_000)}`, 1, '', /64/],
    ['blocks in blocks, line by line', Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 66, '', /64/],
    ['sixty thousand fields', Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n'), 20_001, '', /20000/],
    ['a grant of neither form', texts['use-case.yaml'].replace('effect: read }', 'efect: read }'), 10, 'grants[0].efect', /`effect`/],
    [
      'a constraint with `from` and more',
      texts['use-case.yaml'].replace('{ from: inputs.what }', '{ from: inputs.what, maximum: 3 }'),
      11,
      'grants[1].arguments.what',
      /./,
    ],
    ['sponsors and accountable at once', `${texts['use-case.yaml']}accountable: ada\n`, 1, '', /either/],
    ['a duration without a unit', texts['use-case.yaml'].replace('default: 30m', 'default: 30'), 13, 'lifetime.default', /text/],
    ['an effect that is not known', texts['upstream.yaml'].replace('effect: read', 'effect: reads'), 6, 'tools[0].effect', /read, write, destructive/],
    ['an upstream with an underscore', texts['upstream.yaml'].replace('name: things', 'name: thing_s'), 3, 'name', /hyphens/],
  ];
  for (const [name, text, line, path, remedy] of rows) {
    it(`tells the line, the place and a remedy of ${name}`, () => {
      const before = process.cpuUsage();
      const { documents, problems } = load(text);
      const { user, system } = process.cpuUsage(before);
      expect(user + system, 'microseconds').toBeLessThan(5_000_000);
      expect(documents).toEqual([]);
      expect(problems[0]).toMatchObject({ file: 'x.yaml', line, path });
      expect(problems[0]?.remedy).toMatch(remedy);
      expect(problems[0]?.cause).not.toBe('');
    });
  }

  it('repeats no value in a problem, for it may be a secret in the wrong place', () => {
    const { problems } = load('kind: Credential\ntenant: t\nname: k\ntype: hunter2-token\ninject: hunter2-key\nvalue: hunter2-value\n');
    expect(problems.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('reads the good documents of a file and still tells of the bad one', () => {
    const { documents, problems } = load(`${texts['tenant.yaml']}---\nkind: Nothing\n---\n${texts['agent.yaml']}`);
    expect(documents.map(({ kind, line }) => [kind, line])).toEqual([
      ['Tenant', 1],
      ['Agent', 10],
    ]);
    expect(problems.map(({ line }) => line)).toEqual([8]);
  });

  it('points at both places of a document that stands twice', () => {
    const { problems } = loadTexts([
      { source: 'a.yaml', text: texts['agent.yaml'] },
      { source: 'b.yaml', text: `# first\n${texts['agent.yaml']}` },
    ]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ file: 'b.yaml', line: 2 });
    expect(problems[0]?.remedy).toContain('a.yaml:1');
  });

  it('takes an empty file and one of comments for no documents', () => {
    expect(load('')).toEqual({ documents: [], policies: [], problems: [] });
    expect(load('# nothing\n---\n---\n')).toEqual({ documents: [], policies: [], problems: [] });
  });
});

describe('whose policy a file is', () => {
  const cedar = (id: string) => `@id("${id}")\npermit (principal, action, resource);\n`;
  it('is told by its folder, else by its first id', () => {
    const { policies, problems } = loadTexts([
      { source: 'p/tenants/acme/deep/a.cedar', text: cedar('acme/a') },
      { source: 'p/tenants/acme/deep/a.cases.yaml', text: '- case: x' },
      { source: 'loose.cedar', text: cedar('globex/b') },
    ]);
    expect(problems).toEqual([]);
    expect(policies.map(({ tenant, file, cases }) => [tenant, file, cases])).toEqual([
      ['acme', 'deep/a.cedar', '- case: x'],
      ['globex', 'loose.cedar', null],
    ]);
  });
  it('is a problem when neither tells', () => {
    expect(loadTexts([{ source: 'loose.cedar', text: 'permit (principal, action, resource);' }]).problems).toHaveLength(1);
  });
  it('is a problem for cases without a policy, and for two files of one name', () => {
    expect(loadTexts([{ source: 'lonely.cases.yaml', text: '[]' }]).problems[0]?.remedy).toContain('lonely.cedar');
    const twice = ['a', 'b'].map((folder) => ({ source: `${folder}/x.cedar`, text: cedar('acme/x') }));
    expect(loadTexts(twice).problems[0]).toMatchObject({ file: 'b/x.cedar' });
  });
  it('passes the shipped rules of the platform over and refuses any others', () => {
    const [rule] = platformRules();
    expect(loadTexts([{ source: 'platform/a.cedar', text: rule?.text ?? '' }])).toEqual({ documents: [], policies: [], problems: [] });
    expect(loadTexts([{ source: 'platform/a.cedar', text: cedar('platform/mine') }]).problems).toHaveLength(1);
    expect(loadTexts([{ source: 'tenants/acme/a.cedar', text: cedar('platform/mine') }]).problems).toHaveLength(1);
  });
});

describe('reading folders', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taskgate-load-'));
    await mkdir(join(folder, 'sub', '.hidden'), { recursive: true });
    await writeFile(join(folder, 'sub', 'tenant.yml'), texts['tenant.yaml']);
    await writeFile(join(folder, 'sub', '.hidden', 'x.yaml'), 'kind: Nothing');
    await writeFile(join(folder, 'notes.txt'), 'kind: Nothing');
    await symlink('/etc/hostname', join(folder, 'link.yaml'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('takes what is below, and neither hidden folders, other files nor links', async () => {
    const { documents, problems } = await loadPaths([folder]);
    expect(problems).toEqual([]);
    expect(documents.map(({ source }) => source)).toEqual([join(folder, 'sub', 'tenant.yml')]);
  });
  it('tells of what cannot be read: missing, too large, not text, not a document', async () => {
    await writeFile(join(folder, 'big.yaml'), 'a'.repeat(1_048_577));
    await writeFile(join(folder, 'bytes.yaml'), Buffer.from([0x6b, 0xff, 0xfe]));
    const { problems } = await loadPaths([join(folder, 'none.yaml'), join(folder, 'big.yaml'), join(folder, 'bytes.yaml'), join(folder, 'notes.txt')]);
    expect(problems.map(({ cause }) => cause)).toEqual(['Cannot be read: ENOENT', 'Not a file that is applied', 'Larger than 1 MiB', 'Not UTF-8 text']);
  });
});
