import { type KeptTable, keptTables } from '../verb.ts';

/** Which tables a statement may concern, by its text alone: rather one too many. */
export interface Footprint {
  /** Every word of it, so every table it could name. */
  readonly words: ReadonlySet<string>;
  /** What it reads from. */
  readonly tables: readonly string[];
  readonly kept: readonly KeptTable[];
  readonly writes: boolean;
}

const known = new Map<string, Footprint>();

export function footprintOf(text: string): Footprint {
  const before = known.get(text);
  if (before) return before;
  const words = new Set(text.match(/\w+/g));
  const made = {
    words,
    tables: [...text.matchAll(/\b(?:FROM|JOIN)\s+(\w+)/gi)].map(([, table = '']) => table),
    kept: (Object.keys(keptTables) as KeptTable[]).filter((table) => words.has(table)),
    writes: /\b(?:INSERT|UPDATE|DELETE|REPLACE)\b/i.test(text),
  };
  known.set(text, made);
  return made;
}
