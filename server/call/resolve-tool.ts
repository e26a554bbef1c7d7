import { amountOf, type BrokeredTool, canonicalForm, NotCanonical, sha256Hex } from '../../tools/index.ts';
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
  /** As they will be sent. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Whole ten-thousandths, summed over the arguments that are amounts. */
  readonly amount: number;
  /** What makes a retry the same call: SHA-256 of tenant, session, tool, definition digest, arguments and nonce, hex. */
  readonly callKey: string;
}

/** Granted, pinned, arguments valid. An ungranted operation and an unknown one are told apart only in the record. */
export function resolveTool(session: Session, request: CallRequest): ResolvedTool | Refusal {
  const named = findOperation(session, request);
  return isRefusal(named) ? named : resolveNamed(session, named, request.nonce);
}

/** As `resolveTool`, for what is named already, whatever its kind: a call that people were shown. */
export function resolveNamed(session: Session, request: Named, nonce: string | null): ResolvedTool | Refusal {
  const unknown = (detail: string): Refusal => refuse('tool.not_granted', `Unknown tool: ${request.tool}`, { detail });
  const grant = session.row.grants.find((one) => one.tool === request.tool);
  if (!grant) return unknown(session.tenant.tools.has(request.tool) ? 'registered, not granted' : 'not registered');
  const tool = session.tenant.tools.get(request.tool);
  if (!tool) return unknown('granted, no longer registered');
  const held = session.tenant.quarantined.get(tool.name);
  if (held) return heldTool(tool.name, `${held.change} at its upstream`);
  const current = currentGrant(session, request.tool);
  if (!current) return unknown('granted, since taken out of the use case');
  if (tool.digest !== grant.digest || tool.digest !== current.digest)
    return refuse('tool.changed', 'This tool changed after the task was opened; open a new task to use it.');

  const problems = argumentProblems(tool, [grant, current], session, request.arguments);
  if (typeof problems === 'string') return refuse('arguments.invalid', problems);
  if (problems) return problems;
  const args = (request.arguments ?? {}) as Readonly<Record<string, unknown>>;
  const callKey = sha256Hex(
    canonicalForm({
      tenant: session.row.tenant,
      session: session.row.id,
      tool: tool.name,
      tool_digest: tool.digest,
      arguments: args,
      call: nonce,
    }),
  );
  // Counted before anybody is asked, so that nobody approves what can never be claimed.
  const amount = amountOf(tool, args);
  if (amount === null) return refuse('arguments.unrepresentable', 'An amount cannot be counted exactly; give at most 4 decimals and nothing below zero.');
  return { session, tool, arguments: args, amount, callKey } as Omit<ResolvedTool, typeof resolved> as ResolvedTool;
}

/** Authority is what the session was granted and its use case still grants: what is narrowed holds for tasks under way. */
export const currentGrant = (session: Session, tool: string): SessionGrant | undefined =>
  session.tenant.useCases.get(session.row.useCase)?.grants.find((one) => one.tool === tool);

function argumentProblems(tool: BrokeredTool, grants: readonly SessionGrant[], session: Session, given: unknown): string | Refusal | null {
  const args = given ?? {};
  if (typeof args !== 'object' || Array.isArray(args)) return 'Arguments must be an object.';
  try {
    canonicalForm(args);
  } catch (error) {
    if (error instanceof NotCanonical) return `Arguments cannot be represented exactly: ${error.message}.`;
    throw error;
  }
  const reserved = Object.keys(args).find((name) => name.startsWith('__'));
  if (reserved !== undefined) return 'Argument names must not start with "__".';
  const problems = tool.validate(args);
  if (problems.length > 0) {
    const said = problems.slice(0, 8).map(({ path, problem }) => `${path === '' ? 'arguments' : path.slice(1)}: ${problem}`);
    return `The arguments do not fit the tool's schema. ${said.join('; ')}.`;
  }
  for (const [name, constraint] of grants.flatMap((one) => Object.entries(one.arguments))) {
    const problem = checkConstraint(constraint, (args as Record<string, unknown>)[name], session.row.inputs);
    if (problem) return refuse('arguments.not_granted', `This task may not call ${tool.name} like this. ${name}: ${problem}.`);
  }
  return null;
}
