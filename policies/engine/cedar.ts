import type { DetailedError, Expr, Policy, PolicyJson, SchemaJson, StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs';
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';

export type { DetailedError, Expr, PolicyJson };
export type CedarSchema = SchemaJson<string>;
export type CedarPolicies = Readonly<Record<string, Policy>>;
export type CedarRequest = Omit<StatefulAuthorizationCall, 'preparsedSchemaName' | 'validateRequest' | 'preparsedPolicySetId'>;

export interface Answer {
  readonly allowed: boolean;
  readonly reasons: readonly string[];
  /** Words of every evaluation error; a policy that erred was skipped, so any entry must deny. */
  readonly errors: readonly string[];
}

/** A schema and the policy sets judged under it, to be held by the engine under one lasting name. */
export interface Prepared {
  readonly slot: string;
  readonly schema: CedarSchema;
  readonly sets: Readonly<Record<string, CedarPolicies>>;
}

/**
 * Which preparation each slot holds now. The engine never frees a name, so a slot is overwritten in place and belongs to
 * one tenant and tool for good; judging a candidate therefore evicts the live set, which comes back on its next use.
 */
const held = new Map<string, Prepared>();

/** Judges one request under one of the prepared sets. Throws when the engine cannot answer at all. */
export function ask(prepared: Prepared, set: string, request: CedarRequest): Answer {
  if (held.get(prepared.slot) !== prepared) load(prepared);
  const answer = statefulIsAuthorized({
    ...request,
    preparsedSchemaName: prepared.slot,
    validateRequest: true,
    preparsedPolicySetId: `${prepared.slot}#${set}`,
  });
  if (answer.type === 'failure') return { allowed: false, reasons: [], errors: answer.errors.map((error) => error.message) };
  const { decision, diagnostics } = answer.response;
  return {
    allowed: decision === 'allow',
    reasons: diagnostics.reason,
    errors: diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`),
  };
}

function load(prepared: Prepared): void {
  held.delete(prepared.slot);
  expectParsed(prepared.slot, preparseSchema(prepared.slot, prepared.schema));
  for (const [name, policies] of Object.entries(prepared.sets)) {
    const id = `${prepared.slot}#${name}`;
    expectParsed(id, preparsePolicySet(id, { staticPolicies: { ...policies } }));
  }
  held.set(prepared.slot, prepared);
}

function expectParsed(what: string, answer: ReturnType<typeof preparseSchema>): void {
  if (answer.type === 'failure') throw new Error(`The policy engine refused ${what}: ${answer.errors.map((error) => error.message).join('; ')}`);
}
