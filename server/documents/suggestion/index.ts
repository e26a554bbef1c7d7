import { basename } from 'node:path';
import type { Use } from '../../audit/index.ts';
import type { PolicyText } from '../../store/store.ts';
import { policySource } from '../policy-source.ts';
import type { TenantSnapshot } from '../snapshot.ts';
import { calls } from './comment.ts';
import { suggestPermits } from './suggest-permits.ts';
import { suggestUseCase, unusedGrants } from './suggest-use-case.ts';

export interface Suggestion {
  /** To be applied together; a `*.cases.yaml` stands beside the policy of its name. */
  readonly files: readonly { readonly source: string; readonly text: string }[];
  /** Tools that are granted and were never called. */
  readonly unused: readonly string[];
  /** What the record cannot tell. */
  readonly notes: readonly string[];
}

/** Grants and policy for what was used of a use case, and no more. Null when there is no such use case. `active`: the tenant's policies in force. */
export async function suggestPolicy(snapshot: TenantSnapshot, active: readonly PolicyText[], name: string, use: Use): Promise<Suggestion | null> {
  const entry = snapshot.useCases.get(name);
  if (!entry) return null;
  const { document, grants } = entry;
  const unused = unusedGrants(grants, use);
  const text = suggestUseCase(document, grants, use);
  if (text === null) return { files: [], unused, notes: [`Nothing that ${name} grants was called: there is nothing to suggest but to drop it.`] };

  const file = `${name}-suggested.cedar`;
  const others = active.filter((one) => basename(one.file) !== file);
  const useCases = [...snapshot.useCases.values()].map((one) => one.document);
  const source = policySource(snapshot.tenant, others, snapshot.tools.values(), useCases, snapshot.agents.values());
  const used = grants.map(({ tool }) => tool).filter((tool) => use.tools.has(tool) && snapshot.tools.has(tool));
  const policy = await suggestPermits(source, file, document, used, use);
  const head = `From ${calls(use.calls)} in ${use.sessions} sessions of ${name}.`;
  const files = [
    { source: `${name}-suggested.yaml`, text: `# ${head}\n${text}` },
    { source: file, text: `// ${head}\n${policy.text}` },
    ...(policy.cases === null ? [] : [{ source: `${name}-suggested.cases.yaml`, text: policy.cases }]),
  ];
  return {
    files,
    unused,
    notes: notesOf(
      use,
      grants.map(({ tool }) => tool),
    ),
  };
}

function notesOf(use: Use, granted: readonly string[]): string[] {
  const gone = [...use.tools.keys()].filter((tool) => !granted.includes(tool));
  return [
    'The record keeps no values of arguments: constraints stay as they are, none can be suggested; nor can limits on amounts.',
    ...(gone.length === 0 ? [] : [`Called and not granted any more, so not suggested: ${gone.join(', ')}.`]),
    ...(use.incomplete ? ['So much went on at once that not all was counted: the most in one session may be higher than said.'] : []),
  ];
}
