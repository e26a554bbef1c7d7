import { html } from 'hono/html';
import { parseJsonStrict } from '../../../tools/index.ts';
import type { UseCaseDocument } from '../../documents/kinds.ts';
import type { Form } from '../../identity/index.ts';
import type { Html } from '../page.ts';

/** The typed inputs of a task as fields of a form, and what was written into them as values again. */

type Schema = UseCaseDocument['inputs'][string];
const fieldOf = (name: string): string => `input.${name}`;
const optionsOf = (schema: Schema): readonly unknown[] | null => {
  if (Array.isArray(schema['enum'])) return schema['enum'];
  if ('const' in schema) return [schema['const']];
  return schema['type'] === 'boolean' ? [true, false] : null;
};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const isJson = (schema: Schema): boolean => !['string', 'integer', 'number', 'boolean'].includes(String(schema['type'])) && optionsOf(schema) === null;

/** One field an input, as its schema has it; `given` is what was written before. */
export const inputFields = (inputs: UseCaseDocument['inputs'], given: Form): Html =>
  html`${Object.entries(inputs).map(([name, schema]) => {
    const value = given[fieldOf(name)] ?? ('default' in schema ? textOf(schema['default']) : '');
    const hint = typeof schema['description'] === 'string' ? html`<span class="quiet">${schema['description']}</span>` : '';
    return html`<label>${name} ${hint}${field(name, schema, value)}</label>`;
  })}`;

function field(name: string, schema: Schema, value: string): Html {
  const required = !('default' in schema);
  const options = optionsOf(schema);
  if (options) {
    return html`<select name="${fieldOf(name)}"${required ? html` required` : ''}><option value="">Choose</option>${options.map((option) => {
      const text = textOf(option);
      return html`<option value="${text}"${text === value ? html` selected` : ''}>${text}</option>`;
    })}</select>`;
  }
  if (isJson(schema))
    return html`<textarea name="${fieldOf(name)}" rows="4" spellcheck="false"${required ? html` required` : ''} placeholder="JSON">${value}</textarea>`;
  const { type, maxLength, pattern } = schema;
  if (type === 'integer' || type === 'number') {
    const bounds = html`${typeof schema['minimum'] === 'number' ? html` min="${schema['minimum']}"` : ''}${typeof schema['maximum'] === 'number' ? html` max="${schema['maximum']}"` : ''}`;
    return html`<input type="number" step="${type === 'integer' ? '1' : 'any'}" name="${fieldOf(name)}" value="${value}"${bounds}${required ? html` required` : ''}>`;
  }
  // A pattern of JSON Schema matches anywhere; a form's is the whole value.
  const whole = typeof pattern === 'string' && /^\^.*\$$/.test(pattern) ? html` pattern="${pattern.slice(1, -1)}"` : '';
  const most = typeof maxLength === 'number' ? maxLength : 2_000;
  return html`<input name="${fieldOf(name)}" value="${value}" maxlength="${most}" autocomplete="off" spellcheck="false"${whole}${required ? html` required` : ''}>`;
}

/** What was written, by the type each input has; what does not read as its type stays text, for the check that follows to refuse. */
export function readFields(inputs: UseCaseDocument['inputs'], given: Form): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, schema]) => {
      const text = given[fieldOf(name)];
      return text === undefined ? [] : [[name, typed(schema, text)]];
    }),
  );
}

function typed(schema: Schema, text: string): unknown {
  const options = optionsOf(schema);
  if (options) return options.find((option) => textOf(option) === text) ?? text;
  const { type } = schema;
  if (type === 'string') return text.replaceAll('\r\n', '\n');
  if (type === 'integer' || type === 'number') return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
  try {
    return parseJsonStrict(text, { bytes: 65_536, depth: 16 });
  } catch {
    return text;
  }
}
