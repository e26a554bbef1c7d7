import { expect, it } from 'vitest';
import { propose } from '../../server/cli/import/propose.ts';
import { renderProposal } from '../../server/cli/import/render.ts';
import { loadTexts } from '../../server/documents/index.ts';
import type { Definition } from '../../tools/index.ts';
import { at } from '../tools/upstreams.ts';
import { runHere } from './in-process.ts';

/** What an import makes of resources and prompts. */

const server = { type: 'stdio' as const, command: 'npx', args: ['-y', 'docs'], env: {} };
const definitions: readonly Definition[] = [
  { name: 'handbook', inputSchema: { type: 'object' } },
  { kind: 'resource', uri: 'docs://handbook', name: 'handbook', description: 'The house rules' },
  { kind: 'resource', uri: 'docs://a b', name: '' },
  { kind: 'template', uriTemplate: 'docs://{owner}/{total}', name: 'page of an owner' },
  { kind: 'template', uriTemplate: 'docs://{?q}', name: 'search' },
  { kind: 'prompt', name: 'summarise' },
  { kind: 'prompt', name: 'bad', description: 'a\u202eb' },
];

it('proposes resources and templates under the strictest labels, each variable a target, each under a name of its own', () => {
  const { resources, refused } = propose('docs', 'acme', server, definitions);
  expect(resources.map(({ manifest }) => manifest)).toEqual([
    expect.objectContaining({ uri: 'docs://handbook', as: 'handbook_2', reaches: 'external', accepts: 'public' }),
    expect.objectContaining({ uri: 'docs://a b', as: 'docs_a_b', returns: { sensitivity: 'confidential', integrity: 'external' } }),
    expect.objectContaining({ template: 'docs://{owner}/{total}', as: 'page_of_an_owner', targets: { owner: 'id', total: 'id' } }),
  ]);
  expect(refused).toMatchObject([{ tool: 'docs://{?q}', reasons: [expect.stringMatching(/cannot be read back/)] }, { tool: 'bad' }]);
});

it('proposes no prompt: nobody answers for its words yet', () => {
  const proposal = propose('docs', 'acme', server, definitions);
  expect(proposal.upstream).not.toHaveProperty('prompts');
  expect(proposal.notes.join('\n')).toMatch(/It has prompts, .*: summarise\. Once somebody has read one/);
});

it('writes a document that loads, with its reasons', () => {
  const text = renderProposal(propose('docs', 'acme', server, definitions));
  expect(loadTexts([{ source: 'proposed.yaml', text }]).problems).toEqual([]);
  expect(text).toMatch(/# its own words: The house rules\n {2}- uri: docs:\/\/handbook/);
  expect(text).toMatch(/# Every resource: returns: what it answers is not known/);
});

it('asks a server for all it offers', async () => {
  const child = ['--', process.execPath, at('../tools/fixtures/library.ts')];
  const { exit, stdout, stderr } = await runHere(['tool', 'import', '--tenant', 'acme', '--name', 'library', ...child]);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  for (const part of ['uri: library://handbook', 'template: library://files/{+path}', 'It has prompts']) expect(stdout).toContain(part);
});
