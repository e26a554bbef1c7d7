import { secondsOf } from '../durations.ts';
import type { PolicyProblem } from '../facts.ts';
import { parseRequirement } from '../requirements.ts';
import type { Requirement } from '../vocabulary.ts';
import type { DetailedError, PolicyJson } from './cedar.ts';
import { pathOf, type Read, readsOf, stringOf } from './expression.ts';
import { withEngine } from './instance.ts';
import { relax } from './list-time.ts';
import { readText, type Statement } from './read-text.ts';

/** One policy, parsed; what it asks and reads is taken from its tree, never from its text. */
export interface ParsedPolicy extends Statement {
  readonly id: string;
  readonly json: PolicyJson;
  /** Its form before the arguments are known. */
  readonly relaxed: PolicyJson;
  readonly reason: string | null;
  /** The requirement whose satisfaction lifts this forbid. */
  readonly requirement: Requirement | null;
  /** Seconds an approval it asks for may wait; null when it does not say. */
  readonly expiresIn: number | null;
  /** Break-glass may lift this forbid. */
  readonly breakGlass: boolean;
  /** A standing approval may lift it also where the tool is destructive. */
  readonly acceptsStanding: boolean;
  readonly reads: readonly Read[];
}

/** Parses one file. Limits are checked before the engine sees a byte; problems name file and line. */
export function parsePolicies(file: string, text: string): { policies: readonly ParsedPolicy[]; problems: readonly PolicyProblem[] } {
  const read = readText(file, text);
  const policies: ParsedPolicy[] = [];
  const problems: PolicyProblem[] = [...read.problems];
  for (const statement of read.statements) {
    const parsed = parseOne(statement);
    if ('cause' in parsed) problems.push(parsed);
    else policies.push(parsed);
  }
  return { policies, problems };
}

function parseOne(statement: Statement): ParsedPolicy | PolicyProblem {
  const problem = (cause: string, remedy: string, line = statement.line): PolicyProblem => ({ file: statement.file, line, policy: null, cause, remedy });
  const parts = withEngine((engine) => engine.policySetTextToParts(statement.text));
  if (parts.type === 'failure') return parseProblem(statement, parts.errors[0]);
  const [text] = parts.policies;
  if (text === undefined || parts.policies.length > 1 || parts.policy_templates.length > 0) {
    return problem('Not one policy without slots', 'Write the entity instead of `?principal` or `?resource`');
  }
  const answer = withEngine((engine) => engine.policyToJson(text));
  if (answer.type === 'failure') return parseProblem(statement, answer.errors[0]);
  const { json } = answer;
  const id = json.annotations?.['id'];
  if (!id) return problem('The policy has no `@id`', 'Give it `@id("<tenant>/<name>")`');
  return {
    ...statement,
    id,
    json,
    relaxed: relax(json),
    reason: json.annotations?.['reason'] ?? null,
    requirement: requirementOf(json),
    expiresIn: secondsOf(json.annotations?.['expires'] ?? ''),
    breakGlass: json.annotations !== undefined && Object.hasOwn(json.annotations, 'break_glass'),
    acceptsStanding: json.annotations?.['accepts'] === 'standing',
    reads: json.conditions.flatMap(({ body }) => readsOf(body)),
  };
}

function parseProblem(statement: Statement, error: DetailedError | undefined): PolicyProblem {
  const found = error?.sourceLocations?.[0];
  return {
    file: statement.file,
    line: found ? lineAt(statement, found.start) : statement.line,
    policy: null,
    cause: error ? sentence(error.message) : 'The engine could not read the policy',
    remedy: error?.help ?? found?.label ?? 'See the Cedar language reference',
  };
}

/** The line of a byte offset in a policy's text. */
export function lineAt(statement: Statement, offset: number): number {
  return statement.line + Buffer.from(statement.text).subarray(0, offset).toString().split('\n').length - 1;
}

export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The literal of `unless { context.satisfied.contains("…") }`, when a forbid has such a clause of a known kind. */
function requirementOf(json: PolicyJson): Requirement | null {
  if (json.effect !== 'forbid') return null;
  const literals = json.conditions.flatMap((clause) => satisfiedLiteral(clause) ?? []);
  return literals[0] === undefined ? null : parseRequirement(literals[0]);
}

/** What a clause asks to be satisfied, in the one form there is; null for every other clause. */
export function satisfiedLiteral({ kind, body }: PolicyJson['conditions'][number]): string | null {
  if (kind !== 'unless' || !('contains' in body)) return null;
  const { left, right } = body['contains'] as { left: typeof body; right: typeof body };
  return pathOf(left)?.join('.') === 'context.satisfied' ? stringOf(right) : null;
}
