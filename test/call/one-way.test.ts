import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const sources = readdirSync(join(root, 'server'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
const filesWith = (pattern: RegExp): string[] =>
  sources
    .filter(({ text }) => pattern.test(text))
    .map(({ file }) => file)
    .sort();

describe('one way through', () => {
  it('an upstream is called in one place', () => {
    expect(filesWith(/\bconnection\s*\.call\(|UpstreamCall\b/)).toEqual(['server/call/invoke.ts']);
  });

  it('upstreams are connected to by the call path, and by the door that lists definitions', () => {
    expect(filesWith(/\bupstreams\.connect\(/)).toEqual(['server/call/issue-credential.ts', 'server/documents/list-upstream.ts']);
  });

  it('the store’s claim and settlement are used by their stages alone', () => {
    expect(filesWith(/\bstore\.claim\(/)).toEqual(['server/call/claim.ts']);
    expect(filesWith(/\bstore\.settle\(/)).toEqual(['server/call/record-outcome.ts']);
  });

  it('secrets are opened by the stage that issues them, and where definitions are listed', () => {
    expect(filesWith(/\breadSecretValue\(/).filter((file) => !file.startsWith('server/credentials/'))).toEqual([
      'server/call/issue-credential.ts',
      'server/documents/list-upstream.ts',
      'server/documents/notice-drift.ts',
      'server/notifications/deliver.ts',
      'server/prepare.ts',
    ]);
  });

  it('the stages stand in broker-call.ts in the order of the design', () => {
    const text = readFileSync(join(root, 'server/call/broker-call.ts'), 'utf8');
    const stages = ['enterSession', 'resolveTool', 'judge', 'obtainWarrant', 'issueCredential', 'claim', 'invoke', 'labelResult', 'recordOutcome'];
    const places = stages.map((stage) => text.search(new RegExp(`(=|return) (await )?${stage}\\(`)));
    expect(places.every((place) => place > 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });
});
