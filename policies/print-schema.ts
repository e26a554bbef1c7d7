import { withEngine } from './engine/instance.ts';
import { inputsOf, schemaOf, toolType } from './engine/schema.ts';
import type { PolicySource } from './facts.ts';

/** All that a tenant's policies can read, as a Cedar schema. Arguments and inputs without a simple type are not in it. */
export function printSchema({ tools, useCases }: Pick<PolicySource, 'tools' | 'useCases'>): string {
  const schema = schemaOf(tools.map(toolType), inputsOf(useCases));
  const answer = withEngine((engine) => engine.schemaToText(schema));
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
  return answer.text;
}
