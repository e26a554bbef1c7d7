import type { PolicySource } from '../../policies/index.ts';
import { type BrokeredTool, toPolicyTool } from '../../tools/index.ts';
import type { AgentDocument, UseCaseDocument } from './kinds.ts';

/** What a tenant's law is compiled from. Files and tools are sorted, so that their order decides nothing; use cases and agents stay as they came. */
export function policySource(
  tenant: string,
  files: PolicySource['files'],
  tools: Iterable<BrokeredTool>,
  useCases: Iterable<UseCaseDocument>,
  agents: Iterable<AgentDocument>,
): PolicySource {
  return {
    tenant,
    files: [...files].sort((a, b) => (a.file < b.file ? -1 : 1)).map(({ file, text, cases }) => ({ file, text, cases })),
    tools: [...tools].sort((a, b) => (a.name < b.name ? -1 : 1)).map(toPolicyTool),
    useCases: [...useCases].map(({ name, workflow, inputs }) => ({ name, workflow, inputs })),
    agents: [...agents].map(({ name, workflow }) => ({ name, workflow })),
  };
}
