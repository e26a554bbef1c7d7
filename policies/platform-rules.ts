import { readdirSync, readFileSync } from 'node:fs';
import { type ParsedPolicy, parsePolicies } from './engine/parse-policies.ts';
import { inputsOf, schemaOf, toolType } from './engine/schema.ts';
import { validatePolicies } from './engine/validate.ts';
import type { PolicySource } from './facts.ts';
import { lint } from './lint/index.ts';

type PolicyFile = PolicySource['files'][number];

/** What the ids of the platform's rules start with. */
export const platform = 'platform';

const folder = new URL('./platform/', import.meta.url);

/** The rules that stand in every tenant's law, as shipped: text and cases of each file. */
export function platformRules(): readonly { readonly file: string; readonly text: string; readonly cases: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cedar'))
    .sort()
    .map((name) => ({
      file: `platform/${name}`,
      text: readFileSync(new URL(name, folder), 'utf8'),
      cases: readFileSync(new URL(name.replace(/\.cedar$/, '.cases.yaml'), folder), 'utf8'),
    }));
}

let checked: readonly ParsedPolicy[] | null = null;

/**
 * The platform's rules, checked once against a tenant that has one of everything: against a tenant's own schema any of
 * them may be impossible. Throws when the shipped rules do not pass, for then nothing may be judged.
 */
export function platformPolicies(): readonly ParsedPolicy[] {
  if (checked) return checked;
  const { tools, useCases } = referenceTenant();
  const inputs = inputsOf(useCases);
  const parsed = platformRules().map(({ file, text }) => parsePolicies(file, text));
  const policies = parsed.flatMap((file) => file.policies);
  const problems = [
    ...parsed.flatMap((file) => file.problems),
    ...lint(policies, { prefix: platform, effects: 'forbids', tools, inputs, agents: [], workflows: [] }),
    ...validatePolicies(policies, schemaOf(tools.map(toolType), inputs)),
  ];
  if (problems.length > 0 || policies.length === 0) throw new Error(`The platform's rules do not pass: ${JSON.stringify(problems)}`);
  checked = policies;
  return checked;
}

/** A tenant that permits its one agent everything, with the platform's cases: whatever is denied, the platform denied. */
export function referenceTenant(): PolicySource {
  const permit = `@id("reference/its-agent-may-call-anything")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "reference-work" };`;
  const inputSchema = { type: 'object', properties: { text: { type: 'string' } } };
  return {
    tenant: 'reference',
    files: [{ file: 'reference.cedar', text: permit, cases: null }, ...platformRules().map(({ file, cases }): PolicyFile => ({ file, text: '', cases }))],
    tools: [
      {
        name: 'mail__read_message',
        upstream: 'mail',
        effect: 'read',
        reaches: 'tenant',
        accepts: 'restricted',
        returns: { sensitivity: 'confidential', categories: ['pii'], integrity: 'external' },
        inputSchema,
      },
      {
        name: 'mail__send',
        upstream: 'mail',
        effect: 'write',
        reaches: 'external',
        accepts: 'public',
        returns: { sensitivity: 'public', categories: [], integrity: 'tenant' },
        inputSchema,
      },
    ],
    useCases: [{ name: 'reference-case', workflow: 'reference-work', inputs: { subject: { type: 'string' } } }],
    agents: [{ name: 'reference-agent', workflow: 'reference-work' }],
  };
}
