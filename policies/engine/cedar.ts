import type {
  AuthorizationAnswer,
  CheckParseAnswer,
  DetailedError,
  Expr,
  Policy,
  PolicyJson,
  SchemaJson,
  StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs';
import { EngineTrap, onLoss, withEngine } from './instance.ts';

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
  /** Shared by all slots of one law. */
  readonly health: Health;
}

/** How often judging by one law ended the engine. */
export interface Health {
  readonly tenant: string;
  traps: number;
}

/** What a trap while judging meant for the tenant whose law it was. */
export interface TrapNotice {
  readonly tenant: string;
  readonly slot: string;
  readonly cause: string;
  readonly traps: number;
  /** Nothing is judged by this law any more: every call under it is denied until the law changes. */
  readonly quarantined: boolean;
}

/** A law that ended the engine this often is not given to it again: other tenants share the engine. */
const mostTraps = 2;

const watchers = new Set<(notice: TrapNotice) => void>();

/** Tells of every trap while judging; answers how to stop being told. */
export function watchTraps(watcher: (notice: TrapNotice) => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/**
 * Which preparation each slot holds now. The engine never frees a name, so a slot is overwritten in place and belongs to
 * one tenant and tool for good; judging a candidate therefore evicts the live set, which comes back on its next use.
 */
const held = new Map<string, Prepared>();
onLoss(() => held.clear());

/** Judges one request under one of the prepared sets. Throws when the engine cannot answer at all. */
export function ask(prepared: Prepared, set: string, request: CedarRequest): Answer {
  const { health, slot } = prepared;
  if (health.traps >= mostTraps) throw new Error(`The law of ${health.tenant} ended the policy engine ${health.traps} times and is not judged by`);
  try {
    if (held.get(slot) !== prepared) load(prepared);
    return answered(
      withEngine((engine) =>
        engine.statefulIsAuthorized({ ...request, preparsedSchemaName: slot, validateRequest: true, preparsedPolicySetId: `${slot}#${set}` }),
      ),
    );
  } catch (error) {
    if (error instanceof EngineTrap && endedBy(error)) {
      health.traps += 1;
      const notice = { tenant: health.tenant, slot, cause: error.message, traps: health.traps, quarantined: health.traps >= mostTraps };
      for (const watcher of watchers) watcher(notice);
    }
    throw error;
  }
}

/** A value that could not be converted says nothing about the law; the engine's own stop does. */
const endedBy = ({ cause }: EngineTrap): boolean => cause instanceof WebAssembly.RuntimeError || cause instanceof RangeError;

function answered(answer: AuthorizationAnswer): Answer {
  if (answer.type === 'failure') return { allowed: false, reasons: [], errors: answer.errors.map((error) => error.message) };
  const { decision, diagnostics } = answer.response;
  return {
    allowed: decision === 'allow',
    reasons: diagnostics.reason,
    errors: diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`),
  };
}

function load(prepared: Prepared): void {
  const { slot } = prepared;
  held.delete(slot);
  expectParsed(
    slot,
    withEngine((engine) => engine.preparseSchema(slot, prepared.schema)),
  );
  for (const [name, policies] of Object.entries(prepared.sets)) {
    const id = `${slot}#${name}`;
    expectParsed(
      id,
      withEngine((engine) => engine.preparsePolicySet(id, { staticPolicies: { ...policies } })),
    );
  }
  held.set(slot, prepared);
}

function expectParsed(what: string, answer: CheckParseAnswer): void {
  if (answer.type === 'failure') throw new Error(`The policy engine refused ${what}: ${answer.errors.map((error) => error.message).join('; ')}`);
}
