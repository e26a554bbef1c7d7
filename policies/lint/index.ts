import type { ParsedPolicy } from '../engine/parse-policies.ts';
import type { PolicyProblem } from '../facts.ts';
import { actions } from './actions.ts';
import { entities } from './entities.ts';
import { form } from './form.ts';
import { names } from './names.ts';
import { permits } from './permits.ts';
import { reads } from './reads.ts';
import type { LintRule, LintScope } from './rule.ts';
import { satisfied } from './satisfied.ts';

export type { LintScope } from './rule.ts';

const rules: readonly LintRule[] = [form, actions, permits, satisfied, reads, entities];

/** Everything that strict validation would let through and this law does not. */
export const lint = (policies: readonly ParsedPolicy[], scope: LintScope): readonly PolicyProblem[] => run(rules, policies, scope);

/** What is named and not there; after validation, whose words on a look-alike letter say more. */
export const lintNames = (policies: readonly ParsedPolicy[], scope: LintScope): readonly PolicyProblem[] => run([names], policies, scope);

function run(rules: readonly LintRule[], policies: readonly ParsedPolicy[], scope: LintScope): readonly PolicyProblem[] {
  const seen = new Map<string, ParsedPolicy>();
  return policies.flatMap((policy) => {
    const { file, line, id } = policy;
    const first = seen.get(id);
    seen.set(id, policy);
    const findings = rules.flatMap((rule) => rule(policy, scope));
    const twice = first ? [{ cause: `The id is already used in ${first.file}, line ${first.line}`, remedy: 'Give each policy its own id' }] : [];
    return [...twice, ...findings].map((finding) => ({ file, line, policy: id, ...finding }));
  });
}
