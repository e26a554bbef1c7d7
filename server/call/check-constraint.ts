import { canonicalForm, compileSchema } from '../../tools/index.ts';
import type { ArgumentConstraint } from '../documents/kinds.ts';
import { typedConstraint } from '../documents/typed-constraint.ts';

const remembered = new Map<string, ReturnType<typeof compileSchema>>();
const most = 1_000;

/** What is wrong with an argument under its grant, in words; null when it fits. A constraint implies presence. */
export function checkConstraint(constraint: ArgumentConstraint, value: unknown, inputs: Readonly<Record<string, unknown>>): string | null {
  if (value === undefined) return 'must be given';
  if ('from' in constraint && typeof constraint.from === 'string') {
    const input = constraint.from.slice('inputs.'.length);
    if (!Object.hasOwn(inputs, input)) return `must equal the task's input ${input}, which this task does not have`;
    return canonicalForm(value) === canonicalForm(inputs[input]) ? null : `must equal the task's input ${input}`;
  }
  const schema = compiled(constraint as Readonly<Record<string, unknown>>);
  if ('unsupported' in schema) return 'is constrained in a way that cannot be checked';
  const problem = schema.check(value)[0];
  return problem ? problem.problem : null;
}

function compiled(schema: Readonly<Record<string, unknown>>): ReturnType<typeof compileSchema> {
  const typed = typedConstraint(schema);
  const key = JSON.stringify(typed);
  const known = remembered.get(key);
  if (known) return known;
  const made = compileSchema(typed);
  if (remembered.size >= most) remembered.clear();
  remembered.set(key, made);
  return made;
}
