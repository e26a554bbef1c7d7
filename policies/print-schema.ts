import { schemaToText } from '@cedar-policy/cedar-wasm/nodejs';
import { inputsOf, schemaOf, toolType } from './engine/schema.ts';
import type { PolicySource } from './facts.ts';

/** All that a tenant's policies can read, as a Cedar schema. Arguments and inputs without a simple type are not in it. */
export function printSchema({ tools, useCases }: Pick<PolicySource, 'tools' | 'useCases'>): string {
  const answer = schemaToText(schemaOf(tools.map(toolType), inputsOf(useCases)));
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
  return answer.text;
}
