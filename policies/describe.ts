import { parseCases } from './cases/parse.ts';
import { parsePolicies } from './engine/parse-policies.ts';

/** One policy as a difference between two texts is told by. */
export interface PolicyStatement {
  readonly effect: 'permit' | 'forbid';
  /** All that decides, in one form: scope, conditions, and the annotations that lift or loosen. Equal forms decide alike. */
  readonly meaning: string;
}

/** The policies of one file by their `@id`; null when it is over the limits of policy text, not Cedar, or an id is missing or used twice. */
export function describePolicies(text: string): ReadonlyMap<string, PolicyStatement> | null {
  const { policies, problems } = parsePolicies('', text);
  const statements = new Map<string, PolicyStatement>();
  for (const { id, json } of policies) {
    const { annotations, ...decides } = json;
    const { id: _, reason: __, ...loosens } = annotations ?? {};
    // The engine writes a tree in one way, whatever the text's spacing, comments and order of a record's fields.
    statements.set(id, { effect: json.effect, meaning: JSON.stringify([decides, loosens]) });
  }
  return problems.length > 0 || statements.size < policies.length ? null : statements;
}

/** The cases of one file by their name, each in one form; null when they cannot be read or two have one name. */
export function describeCases(text: string): ReadonlyMap<string, string> | null {
  const { cases, problems } = parseCases('', text);
  const stated = new Map(cases.map((one) => [one.case, JSON.stringify(one)]));
  return problems.length > 0 || stated.size < cases.length ? null : stated;
}
