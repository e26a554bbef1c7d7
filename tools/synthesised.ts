import type { PromptDefinition } from './definition.ts';
import type { ArgumentProblem } from './problems.ts';
import { expandTemplate, longestUri, longestValue, matchTemplate, type UriTemplate } from './uri-template.ts';

/** Schemas for what MCP gives none: policy, grants and approvals read the arguments of any operation the same way. */

type Json = Readonly<Record<string, unknown>>;

export const noArguments: Json = { type: 'object', properties: {}, additionalProperties: false };

export const variablesSchema = ({ variables }: UriTemplate): Json => ({
  type: 'object',
  properties: Object.fromEntries(variables.map((name) => [name, { type: 'string', minLength: 1, maxLength: longestValue }])),
  required: variables,
  additionalProperties: false,
});

/** What no schema can say: that the address these make is one address, and reads back as just these. */
export function checkAddress(template: UriTemplate, values: Json): readonly ArgumentProblem[] {
  if (!Object.values(values).every((value) => typeof value === 'string' && value.isWellFormed())) return [{ path: '', problem: 'must be whole Unicode text' }];
  const uri = expandTemplate(template, values);
  if (uri.length > longestUri) return [{ path: '', problem: `make an address of more than ${longestUri} characters` }];
  if (matchTemplate(template, uri) !== null) return [];
  return [{ path: '', problem: 'leave their place: a value with `/`, `\\` or a control character, or a lone `.` or `..` between slashes' }];
}

/** Null when two arguments have one name, or one has a name that none may have. */
export function promptSchema({ arguments: declared = [] }: PromptDefinition): Json | null {
  const names = declared.map(({ name }) => name);
  if (new Set(names).size < names.length || names.some((name) => name.startsWith('__'))) return null;
  return {
    type: 'object',
    properties: Object.fromEntries(declared.map(({ name, description }) => [name, { type: 'string', ...(description === undefined ? {} : { description }) }])),
    required: declared.flatMap(({ name, required }) => (required === true ? [name] : [])),
    additionalProperties: false,
  };
}
