import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { newFolder } from '../support/broker.ts';
import { describeRun, rewriteSection } from './report.ts';
import type { StoreResult } from './run-store.ts';

const result: StoreResult = {
  ...{ store: 'sqlite', address: 'sqlite:none', dir: 'none', killsAtSteps: 7, killsAtRandom: 3, missed: [], seconds: 9 },
  steps: { all: 9, done: 7 },
  statements: { all: 20, done: 0 },
  violations: [{ invariant: 'once', evidence: 'an effect came twice' }],
  figures: { effects: 1, results: 2, lost: 3, startsRefused: 0, approvals: 4, unknown: 5, records: 6 },
  scenarios: [{ name: 'a write', steps: ['claim', 'settle'], kills: 7 }],
};

it('the table says what held, and does not hide what did not', () => {
  const table = describeRun([result], { seed: 5, seconds: 9 });
  expect(table).toMatch(/^10 kills in 9 s, seed 5/);
  expect(table).toMatch(/happens twice.*\*\*broken 1 times\*\*/);
  expect(table).toMatch(/chain is whole.*\| held \|/);
  expect(table).toContain('| a write | `claim`, `settle` | 7 |');
});

it('only what stands between the markers of a page is written anew', async () => {
  const dir = await newFolder();
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const page = join(dir, 'page.md');
  await writeFile(page, 'before\n<!-- chaos: begin -->\nold\n<!-- chaos: end -->\nafter\n');
  await rewriteSection(page, 'new');
  expect(await readFile(page, 'utf8')).toBe('before\n<!-- chaos: begin -->\nnew\n<!-- chaos: end -->\nafter\n');
  await writeFile(page, 'no markers');
  await expect(rewriteSection(page, 'new')).rejects.toThrow(/no section/);
});
