import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'test/types');

function compile(): Promise<string> {
  return new Promise((resolve) => {
    execFile(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], { cwd: folder }, (_error, stdout) => resolve(stdout));
  });
}

describe('the call path is a type', () => {
  it('does not compile when a stage is left out, a refusal ignored or evidence made by hand', async () => {
    const [errors, files] = await Promise.all([compile(), readdir(folder)]);
    const must = files.filter((file) => file.endsWith('.ts') && file !== 'evidence.ts').sort();
    const failing = errors.split('\n').flatMap((line) => /^([a-z-]+\.ts)\(\d+,\d+\): error TS(2345|2739|2740|2741)/.exec(line)?.[1] ?? []);
    expect([...new Set(failing)].sort()).toEqual(must);
    expect(must).toHaveLength(11);
    const elsewhere = errors.split('\n').filter((line) => line.includes(': error ') && !must.some((file) => line.startsWith(`${file}(`)));
    expect(elsewhere).toEqual([]);
  });
});
