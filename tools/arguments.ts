import { type Schema, validate } from '@cfworker/json-schema';
import { openBudget, Unchecked } from './budget.ts';
import { glanceAt } from './glance.ts';
import { metered } from './metered.ts';
import { declareMatches } from './pattern-properties.ts';
import { type ArgumentProblem, problemsOf } from './problems.ts';
import { resolveReferences } from './references.ts';
import { prepareSchema } from './schema.ts';
import { UnsupportedSchema } from './unsupported.ts';

/** Checks arguments against schemas that upstreams and documents bring along. */

export interface CompiledSchema {
  /** What is wrong, innermost only, at most 20; empty when nothing is. Never throws, never quotes the value. */
  check(value: unknown): readonly ArgumentProblem[];
}

export interface Unsupported {
  /** The place as a JSON Pointer, and why. */
  readonly unsupported: string;
  readonly remedy: string;
}

/** Compiles a JSON Schema of unknown origin (draft-04 to 2020-12; 2020-12 when it names none). */
export function compileSchema(schema: Readonly<Record<string, unknown>>): CompiledSchema | Unsupported {
  try {
    const { root, draft, places, patterned } = prepareSchema(schema);
    const lookup: Record<string, Schema | boolean> = resolveReferences(root, places);
    for (const part of patterned) declareMatches(part);
    const glance = glanceAt(schema);
    return {
      check(value) {
        if (glance?.(value)) return [];
        openBudget();
        try {
          const { valid, errors } = validate(metered(value, patterned.length > 0), root, draft, lookup, false);
          return valid ? [] : problemsOf(errors);
        } catch (error) {
          // Deep recursion ends here too (RangeError): what cannot be checked is not accepted.
          return [{ path: '', problem: error instanceof Unchecked ? error.message : 'cannot be checked against the schema' }];
        }
      },
    };
  } catch (error) {
    if (error instanceof UnsupportedSchema) return { unsupported: error.message, remedy: error.remedy };
    return { unsupported: 'at the top: the schema cannot be read', remedy: 'make it smaller and flatter' };
  }
}
