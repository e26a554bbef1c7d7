import { amountOf, type BrokeredTool, Canonical, canonicalForm, NotCanonical, sha256Hex } from '../../tools/index.ts';
import type { SessionGrant } from '../store/store.ts';
import type { CallRequest } from './call.ts';
import { checkConstraint } from './check-constraint.ts';
import type { Session } from './enter-session.ts';
import { findOperation, type Named } from './find-operation.ts';
import { heldTool, isRefusal, type Refusal, refuse } from './refusals.ts';

declare const resolved: unique symbol;

/** Evidence that the tool is granted by digest and that the arguments fit its schema and the grant. */
export interface ResolvedTool {
  readonly [resolved]: true;
  readonly session: Session;
  readonly tool: BrokeredTool;
  /** What the session was granted of it, and what its use case grants now. */
  readonly grants: readonly [own: SessionGrant, current: SessionGrant];
  /** As they will be sent. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The arguments' canonical form. */
  readonly form: Canonical;
  readonly nonce: string | null;
  /** Whole ten-thousandths, summed over the arguments that are amounts. */
  readonly amount: number;
}

/** What makes a retry the same call: SHA-256 of tenant, session, tool, definition digest, arguments and nonce, hex. */
export function callKeyOf({ session, tool, form, nonce }: ResolvedTool): string {
  const { tenant, id } = session.row;
  return sha256Hex(canonicalForm({ tenant, session: id, tool: tool.name, tool_digest: tool.digest, arguments: form, call: nonce }));
}

/** Granted, pinned, arguments valid. An ungranted operation and an unknown one are told apart only in the record. */
export function resolveTool(session: Session, request: CallRequest): ResolvedTool | Refusal {
  const named = findOperation(session, request);
  return isRefusal(named) ? named : resolveNamed(session, named, request.nonce);
}

/** As `resolveTool`, for what is named already, whatever its kind: a call that people were shown. */
export function resolveNamed(session: Session, request: Named, nonce: string | null): ResolvedTool | Refusal {
  const unknown = (detail: string): Refusal => refuse('tool.not_granted', `Unknown tool: ${request.tool}`, { detail });
  const own = grantOf(session.row.grants, request.tool);
  if (!own) return unknown(session.tenant.tools.has(request.tool) ? 'registered, not granted' : 'not registered');
  const tool = session.tenant.tools.get(request.tool);
  if (!tool) return unknown('granted, no longer registered');
  const held = session.tenant.quarantined.get(tool.name);
  if (held) return heldTool(tool.name, `${held.change} at its upstream`);
  const current = currentGrant(session, request.tool);
  if (!current) return unknown('granted, since taken out of the use case');
  if (tool.digest !== own.digest || tool.digest !== current.digest)
    return refuse('tool.changed', 'This tool changed after the task was opened; open a new task to use it.');

  const read = readArguments(request.arguments);
  if (typeof read === 'string') return refuse('arguments.invalid', read);
  const { args, form } = read;
  const grants = [own, current] as const;
  const problem = argumentProblem(tool, grants, session, args);
  if (problem) return problem;
  // Counted before anybody is asked, so that nobody approves what can never be claimed.
  const amount = amountOf(tool, args);
  if (amount === null) return refuse('arguments.unrepresentable', 'An amount cannot be counted exactly; give at most 4 decimals and nothing below zero.');
  return { session, tool, grants, arguments: args, form, nonce, amount } as Omit<ResolvedTool, typeof resolved> as ResolvedTool;
}

/** By tool, for lists of grants that a call has looked into: a configuration and a session keep theirs from call to call. */
const byTool = new WeakMap<readonly SessionGrant[], ReadonlyMap<string, SessionGrant>>();

export function grantOf(grants: readonly SessionGrant[], tool: string): SessionGrant | undefined {
  let known = byTool.get(grants);
  if (!known) {
    known = new Map(grants.toReversed().map((one) => [one.tool, one])); // of two of one tool the first counts
    byTool.set(grants, known);
  }
  return known.get(tool);
}

const none: readonly SessionGrant[] = [];

/** Authority is what the session was granted and its use case still grants: what is narrowed holds for tasks under way. */
export const currentGrant = (session: Session, tool: string): SessionGrant | undefined =>
  grantOf(session.tenant.useCases.get(session.row.useCase)?.grants ?? none, tool);

/** The arguments and their canonical form, or why they cannot be taken. */
function readArguments(given: unknown): (Pick<ResolvedTool, 'form'> & { readonly args: ResolvedTool['arguments'] }) | string {
  const args = given ?? {};
  if (typeof args !== 'object' || Array.isArray(args)) return 'Arguments must be an object.';
  try {
    const form = new Canonical(args);
    if (Object.keys(args).some((name) => name.startsWith('__'))) return 'Argument names must not start with "__".';
    return { args: args as ResolvedTool['arguments'], form };
  } catch (error) {
    if (error instanceof NotCanonical) return `Arguments cannot be represented exactly: ${error.message}.`;
    throw error;
  }
}

function argumentProblem(tool: BrokeredTool, grants: ResolvedTool['grants'], session: Session, args: ResolvedTool['arguments']): Refusal | null {
  const problems = tool.validate(args);
  if (problems.length > 0) {
    const said = problems.slice(0, 8).map(({ path, problem }) => `${path === '' ? 'arguments' : path.slice(1)}: ${problem}`);
    return refuse('arguments.invalid', `The arguments do not fit the tool's schema. ${said.join('; ')}.`);
  }
  for (const grant of grants) {
    for (const [name, constraint] of Object.entries(grant.arguments)) {
      const problem = checkConstraint(constraint, args[name], session.row.inputs);
      if (problem) return refuse('arguments.not_granted', `This task may not call ${tool.name} like this. ${name}: ${problem}.`);
    }
  }
  return null;
}
