import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cells } from '../hosts/cells.ts';
import { begins, ends, hostsTable } from '../hosts/table.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/hosts.md'), 'utf8');
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;

it('the table of hosts says what the tests of hosts show, and nothing else', () => {
  const table = hostsTable({ ...dependencies, ...devDependencies });
  expect(page.slice(page.indexOf(begins) + begins.length, page.indexOf(ends)).trim()).toBe(table);
});

it('a cell is empty for a reason that stands in it, and for no other', () => {
  expect(cells.filter(({ special }) => special && 'empty' in special && special.empty === 'not shown')).toEqual([]);
});

it.each(cells.flatMap(({ special, ...cell }) => (special && 'shownBy' in special ? [{ ...cell, shownBy: special.shownBy }] : [])))(
  '$host, $generation, $way: is shown by a test that is there',
  ({ shownBy: [file, name] }) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(`it('${name}'`);
  },
);
