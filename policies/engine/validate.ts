import type { PolicyProblem } from '../facts.ts';
import type { CedarSchema, DetailedError } from './cedar.ts';
import { withEngine } from './instance.ts';
import { lineAt, type ParsedPolicy, sentence } from './parse-policies.ts';

/** Strict validation against a schema. Warnings count: one of them says that a policy can never apply, or that a name only looks familiar. */
export function validatePolicies(policies: readonly ParsedPolicy[], schema: CedarSchema): readonly PolicyProblem[] {
  const byId = new Map(policies.map((policy) => [policy.id, policy]));
  const answer = withEngine((engine) =>
    engine.validate({
      validationSettings: { mode: 'strict' },
      schema,
      policies: { staticPolicies: Object.fromEntries(policies.map(({ id, text }) => [id, text])) },
    }),
  );
  const general = (errors: readonly DetailedError[]) => errors.map((error) => problemOf(undefined, error));
  if (answer.type === 'failure') return general([...answer.errors, ...answer.warnings]);
  // A policy that errs is often called impossible as well, which explains nothing.
  const erring = new Set(answer.validationErrors.map(({ policyId }) => policyId));
  const warnings = answer.validationWarnings.filter(({ policyId }) => !erring.has(policyId));
  return [...[...answer.validationErrors, ...warnings].map(({ policyId, error }) => problemOf(byId.get(policyId), error)), ...general(answer.otherWarnings)];
}

function problemOf(policy: ParsedPolicy | undefined, error: DetailedError): PolicyProblem {
  const at = error.sourceLocations?.[0];
  return {
    file: policy?.file ?? '(policies)',
    line: policy ? (at ? lineAt(policy, at.start) : policy.line) : null,
    policy: policy?.id ?? null,
    cause: sentence(error.message),
    remedy: error.help ? sentence(error.help) : 'See `taskgate policy schema` for what policy can read',
  };
}
