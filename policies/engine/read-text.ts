import type { PolicyProblem } from '../facts.ts';

/**
 * What policy text may be before it reaches the engine. Its parser, validator and evaluator recurse on the stack of one
 * WASM instance and a trap ends that instance for every tenant: 150 nested parentheses do, and so do 1,000 chained `+`,
 * which parse and trap only when evaluated. Measured safe: 100 nested brackets, 300 chained operators, 600 `if`. Strings
 * are short because matching a `like` pattern takes its length times that of the value.
 */
export const textLimits = { bytes: 65_536, policies: 200, nesting: 32, conditionals: 32, operators: 256, string: 512 } as const;

/** One policy as it stands in a file; `line` counts from 1. */
export interface Statement {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const token = /\/\/[^\n]*|"(?:[^"\\]|\\.)*"|"|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|::|&&|\|\||[!=<>]=|./gsy;
/** Controls but tab and line ends, and spaces without width. Look-alikes and direction controls the engine's own validation names. */
const unseenCharacter = /[^\P{Cc}\t\n\r]|[\u200B\u2060\uFEFF]/u;
const operator = new Set(['&&', '||', '+', '-', '*', '!', '.', '==', '!=', '<', '<=', '>', '>=', 'has', 'in', 'is', 'like', '[', '{', '(']);

/** Splits a file into its policies, by their semicolons; strings and comments are understood, nothing else is. */
export function readText(file: string, text: string): { statements: readonly Statement[]; problems: readonly PolicyProblem[] } {
  const problem = (line: number | null, cause: string, remedy: string): { statements: []; problems: PolicyProblem[] } => ({
    statements: [],
    problems: [{ file, line, policy: null, cause, remedy }],
  });
  if (Buffer.byteLength(text) > textLimits.bytes) return problem(null, `The file is larger than ${textLimits.bytes} bytes`, 'Split it by theme');
  if (!text.isWellFormed()) return problem(null, 'The file is not valid Unicode', 'Save it as UTF-8');

  const unseen = unseenCharacter.exec(text);
  if (unseen) {
    const code = unseen[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    return problem(
      text.slice(0, unseen.index).split('\n').length,
      `A character that cannot be seen: U+${code}`,
      'Remove it; in a string, what is compared would differ from what is read',
    );
  }

  const statements: Statement[] = [];
  let line = 1;
  let begin: { at: number; line: number } | null = null;
  let depth = 0;
  let conditionals = 0;
  let operators = 0;
  for (const { 0: lexeme, index } of text.matchAll(token)) {
    const here = line;
    line += lexeme.split('\n').length - 1;
    if (lexeme.startsWith('//') || /^\s$/.test(lexeme)) continue;
    begin ??= { at: index, line: here };
    if (lexeme === '"') return problem(here, 'A string does not end', 'Close it with a double quote');
    if (lexeme.length > textLimits.string && lexeme.startsWith('"'))
      return problem(here, `A string is longer than ${textLimits.string} characters`, 'Shorten it');
    if (/^[0-9]/.test(lexeme) && !Number.isSafeInteger(Number(lexeme)))
      return problem(here, 'A number beyond 2^53 − 1', 'Write a smaller one: no argument or time is larger, and its tree could not hold it exactly');
    if ('([{'.includes(lexeme)) depth += 1;
    if (')]}'.includes(lexeme)) depth -= 1;
    if (operator.has(lexeme)) operators += 1;
    if (lexeme === 'if') conditionals += 1;
    if (depth < 0) return problem(here, `\`${lexeme}\` closes nothing`, 'Remove it, or open it first');
    if (depth > textLimits.nesting) return problem(here, `Brackets nest deeper than ${textLimits.nesting}`, 'Write the condition flatter');
    if (conditionals > textLimits.conditionals) return problem(here, `More than ${textLimits.conditionals} \`if\` in one policy`, 'Split the policy');
    if (operators > textLimits.operators) return problem(here, `More than ${textLimits.operators} operators in one policy`, 'Split the policy');
    if (lexeme !== ';' || depth !== 0) continue;
    statements.push({ file, line: begin.line, text: text.slice(begin.at, index + 1) });
    if (statements.length > textLimits.policies) return problem(here, `More than ${textLimits.policies} policies in one file`, 'Split it by theme');
    begin = null;
    conditionals = 0;
    operators = 0;
  }
  if (begin) return problem(begin.line, 'A policy does not end', 'Close its brackets and end it with a semicolon');
  return { statements, problems: [] };
}
