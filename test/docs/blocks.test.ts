import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { compilePolicy } from '../../policies/index.ts';
import { refusalsPage } from '../../server/cli/refusals-page.ts';
import { config } from '../../server/config.ts';
import { loadTexts } from '../../server/documents/index.ts';
import { acme } from '../policies/tenants.ts';

const root = join(import.meta.dirname, '../..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

interface Block {
  readonly page: string;
  readonly language: string;
  readonly info: string;
  readonly text: string;
}
const blocks: Block[] = pages.flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language = '', info = '', text = '']) => ({
    page,
    language,
    info: info.trim(),
    text,
  })),
);
const of = (language: string): Block[] => blocks.filter((block) => block.language === language);

describe('every block of the documentation', () => {
  it.each(of('yaml').filter(({ text }) => /^kind:/m.test(text)))('$page: a document loads as it stands', ({ page, text }) => {
    expect(loadTexts([{ source: `${page}.yaml`, text }]).problems).toEqual([]);
  });

  it.each(of('yaml').filter(({ info }) => info === 'taskgate.yaml'))('$page: settings are accepted as they stand', ({ text }) => {
    expect(config.safeParse(parseDocument(text).toJS()).error).toBeUndefined();
  });

  it.each(of('cedar'))('$page: a policy passes the lint against the sample tenant', async ({ page, text }) => {
    const compiled = await compilePolicy({ ...acme, files: [{ file: `${page}.cedar`, text, cases: null }] });
    expect('problems' in compiled ? compiled.problems : []).toEqual([]);
  });

  it.each(of('json'))('$page: JSON parses', ({ text }) => {
    expect(() => JSON.parse(text)).not.toThrow();
  });

  it('has one of each kind, so that none of these tests is empty', () => {
    for (const language of ['yaml', 'cedar', 'json', 'sh']) expect(of(language).length, language).toBeGreaterThan(0);
  });
});

describe('links and generated pages', () => {
  it.each(pages)('%s: every relative link leads to a file', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:|#|<)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => join(root, page, '..', link));
    for (const link of links) expect(() => readdirOrFile(link), link).not.toThrow();
  });

  it('every test that the table of rules names is there', () => {
    const named = [...readFileSync(join(root, 'test/README.md'), 'utf8').matchAll(/`(test\/[a-z/.-]+\.ts)`/g)].map(([, file = '']) => file);
    expect(named.length).toBeGreaterThan(20);
    for (const file of named) expect(existsSync(join(root, file)), file).toBe(true);
  });

  it('the page of refusals is the one the code gives', () => {
    expect(readFileSync(join(root, 'docs/refusals.md'), 'utf8')).toBe(refusalsPage());
  });
});

function readdirOrFile(path: string): void {
  try {
    readFileSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EISDIR')) throw error;
  }
}
