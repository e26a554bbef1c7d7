import { z } from 'zod';
import { BadJson, parseJsonStrict } from '../../tools/index.ts';

const most = 20_000;

/** A form's field that a script filled with JSON. */
export const readJsonField = <T extends z.ZodType>(shape: T) =>
  z
    .string()
    .max(most)
    .transform((text, context): unknown => {
      try {
        return parseJsonStrict(new TextEncoder().encode(text), { bytes: 4 * most, depth: 8 });
      } catch (error) {
        if (!(error instanceof BadJson)) throw error;
        context.addIssue({ code: 'custom', message: 'not JSON' });
        return z.NEVER;
      }
    })
    .pipe(shape);
