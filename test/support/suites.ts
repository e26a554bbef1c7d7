import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where test sets of others lie; nothing of them is in this repository. */
const folder = process.env['TASKGATE_SUITES'] ?? join(import.meta.dirname, '../../../shared/suites');

/** One file of a suite as JSON; null when the suite is not there, which whoever asks says aloud. */
export function readSuite<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(join(folder, path), 'utf8')) as T;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
