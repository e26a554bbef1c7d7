import type { ArgumentConstraint } from '../documents/kinds.ts';
import { checkConstraint } from './check-constraint.ts';
import type { Session } from './enter-session.ts';
import { listPrompts, listTemplates } from './list-operations.ts';
import { currentGrant, grantOf } from './resolve-tool.ts';

export interface Completed {
  /** Of the operation asked about. */
  readonly name: string;
  readonly values: readonly string[];
}

/**
 * What an argument of a listed prompt or template may be, as far as the task's own grant names it. Nobody is asked, so that nothing that
 * is being typed leaves Taskgate before there is a call to judge. Null for what is not listed.
 */
export function completeArgument(
  session: Session,
  of: { readonly prompt: string } | { readonly template: string },
  argument: string,
  typed: string,
): Completed | null {
  const name =
    'prompt' in of
      ? listPrompts(session).find((one) => one.name === of.prompt)?.name
      : listTemplates(session).find(({ uriTemplate }) => uriTemplate === of.template)?.name;
  if (name === undefined) return null;
  const { grants, inputs } = session.row;
  const constraints = [grantOf(grants, name), currentGrant(session, name)].flatMap((grant): readonly ArgumentConstraint[] => {
    const own = grant && Object.hasOwn(grant.arguments, argument) ? grant.arguments[argument] : undefined;
    return own === undefined ? [] : [own];
  });
  const named = new Set(constraints.flatMap((one) => namedBy(one, inputs)));
  const fits = (value: string): boolean => value.startsWith(typed) && constraints.every((one) => checkConstraint(one, value, inputs) === null);
  return { name, values: [...named].filter(fits) };
}

function namedBy(constraint: ArgumentConstraint, inputs: Readonly<Record<string, unknown>>): readonly string[] {
  const { from, enum: several, const: only } = constraint as { readonly from?: unknown; readonly enum?: unknown; readonly const?: unknown };
  const input = typeof from === 'string' ? inputs[from.slice('inputs.'.length)] : undefined;
  return [input, only, ...(Array.isArray(several) ? several : [])].filter((value) => typeof value === 'string');
}
