import { isAlias, LineCounter, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import type { PolicyProblem } from '../facts.ts';
import { statedFacts } from './stated-facts.ts';

/** What a `*.cases.yaml` may hold. */
export const casesBytes = 65_536;

const policyCase = z.strictObject({
  case: z.string().min(1),
  tool: z.string().min(1),
  facts: statedFacts.prefault({}),
  expect: z.strictObject({
    decision: z.enum(['allow', 'deny', 'require']),
    requirements: z.array(z.string()).optional(),
    policies: z.array(z.string()).optional(),
  }),
});
export type PolicyCase = z.infer<typeof policyCase>;

/** Reads a `*.cases.yaml`. `file` is that of the policies it stands beside. */
export function parseCases(file: string, text: string): { cases: readonly PolicyCase[]; problems: readonly PolicyProblem[] } {
  const casesFile = file.replace(/\.cedar$/, '.cases.yaml');
  const problem = (line: number | null, cause: string, remedy: string): PolicyProblem => ({ file: casesFile, line, policy: null, cause, remedy });
  if (Buffer.byteLength(text) > casesBytes) return { cases: [], problems: [problem(null, `The file is larger than ${casesBytes} bytes`, 'Split it')] };

  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, schema: 'core' });
  const [error] = document.errors;
  if (error) return { cases: [], problems: [problem(error.linePos?.[0].line ?? null, error.message.split('\n')[0] ?? 'Not YAML', 'Correct the YAML')] };

  let aliased = false;
  visit(document, (_, node) => {
    aliased ||= isAlias(node);
  });
  if (aliased) return { cases: [], problems: [problem(null, 'A case refers to another by an alias', 'Write its facts out')] };

  const parsed = z.array(policyCase).safeParse(document.toJS() ?? []);
  if (parsed.success) return { cases: parsed.data, problems: [] };
  const problems = parsed.error.issues.map((issue) => {
    const node =
      document.getIn(
        issue.path.filter((part) => typeof part !== 'symbol'),
        true,
      ) ?? document.getIn(issue.path.slice(0, 1), true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? (node.range as [number]) : null;
    return problem(
      range ? lines.linePos(range[0]).line : null,
      `${issue.path.join('.') || 'The file'}: ${issue.message}`,
      'A case is `{ case, tool, facts: { args, … }, expect: { decision, … } }`',
    );
  });
  return { cases: [], problems };
}
