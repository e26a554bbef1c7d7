import { canonicalForm, compileSchema, NotCanonical } from '../../tools/index.ts';
import { type Refusal, refuse } from '../call/refusals.ts';
import type { UseCaseDocument } from '../documents/kinds.ts';

type Inputs = Readonly<Record<string, unknown>>;

const bad = (message: string): Refusal => refuse('session.refused', message);

/** The task's typed values: every declared one present (or its default), valid, and no other. Messages never quote a value. */
export function readInputs(useCase: Pick<UseCaseDocument, 'inputs'>, given: Inputs): { readonly inputs: Inputs } | Refusal {
  const undeclared = Object.keys(given).find((name) => !Object.hasOwn(useCase.inputs, name));
  if (undeclared !== undefined) return bad(`The use case has no input '${undeclared.slice(0, 64)}'.`);
  const inputs: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(useCase.inputs)) {
    const value = Object.hasOwn(given, name) ? given[name] : schema['default'];
    if (value === undefined) return bad(`The input '${name}' is missing.`);
    const compiled = compileSchema(schema);
    if ('unsupported' in compiled) return bad(`The input '${name}' cannot be checked; the use case must be corrected.`);
    const [problem] = compiled.check(value);
    if (problem) return bad(`The input '${name}' does not fit: ${problem.problem}.`);
    inputs[name] = value;
  }
  try {
    canonicalForm(inputs);
  } catch (error) {
    if (error instanceof NotCanonical) return bad(`The inputs cannot be represented exactly: ${error.message}.`);
    throw error;
  }
  return { inputs };
}

export const equalInputs = (a: Inputs, b: Inputs): boolean => canonicalForm(a) === canonicalForm(b);
