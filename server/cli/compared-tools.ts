import { z } from 'zod';
import { paint, plain } from './print.ts';

/** What the CLI reads of a tool that is not as it was pinned. */
export const comparedTool = z.looseObject({
  upstream: z.string(),
  tool: z.string(),
  name: z.string().nullable(),
  change: z.string(),
  held_since: z.int().nullable(),
  digest: z.string().nullable(),
  differences: z.array(z.looseObject({ part: z.string(), lines: z.array(z.looseObject({ sign: z.string(), text: z.string() })) })),
  findings: z.array(z.looseObject({ severity: z.string(), reason: z.string() })),
  renamed_to: z.array(z.string()),
  remedy: z.string(),
});
export type ComparedTool = z.infer<typeof comparedTool>;

/** As much of a digest as has to be typed. */
export const shortest = 16;

const words: Readonly<Record<string, string>> = {
  changed: 'changed',
  vanished: 'is gone',
  new: 'is new',
  same: 'is as it was pinned again',
};

/** The difference of one tool as a person reads it, and what to do. */
export function describeCompared(one: ComparedTool): string {
  const held = one.held_since === null ? '' : `, ${paint('yellow', 'held')}`;
  const renamed = one.renamed_to.length === 0 ? [] : [`  It may be ${one.renamed_to.map(plain).join(' or ')} now: the same but for the name.`];
  const parts = one.change === 'new' ? [] : one.differences.flatMap(({ part, lines }) => [`  ${paint('bold', part)}`, ...lines.map(painted)]);
  const accept = one.name !== null && one.digest !== null ? [`  npx taskgate tool accept ${one.name} --digest ${one.digest.slice(0, shortest)}`] : [];
  return [
    `${paint('bold', plain(one.name ?? `${one.upstream}: ${one.tool}`))} ${words[one.change] ?? plain(one.change)}${held}`,
    ...renamed,
    ...parts,
    ...one.findings.map(({ severity, reason }) => `  ${paint(severity === 'refused' ? 'red' : 'yellow', '!')} ${plain(reason)}`),
    `  ${plain(one.remedy)}.`,
    ...accept,
  ].join('\n');
}

function painted({ sign, text }: { sign: string; text: string }): string {
  const line = `    ${sign} ${plain(text)}`;
  return sign === '+' ? paint('green', line) : sign === '-' ? paint('red', line) : line;
}
