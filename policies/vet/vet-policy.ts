import { casesBytes } from '../cases/parse.ts';
import { textLimits } from '../engine/read-text.ts';
import type { CallFacts, PolicyProblem, PolicySource } from '../facts.ts';
import type { Findings, Question } from './question.ts';
import { type Allowance, inThrowAway } from './throw-away.ts';

/** What one question about a tenant's texts may cost; a set of 200 policies with its cases takes a tenth of it. */
const allowance: Allowance = { ms: 30_000, heapMb: 512, residentMb: 1024 };
/** Of all files of a tenant. */
const most = { files: 200, bytes: 1_048_576 };

// Node runs the source as it is, and `dist` as it was built.
const worker = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** Compiles a tenant's law where nothing can be harmed: in a process with limits, thrown away after it. */
export const vetPolicy = async (source: PolicySource): Promise<readonly PolicyProblem[]> => (await askAbout({ ask: 'compile', source })).problems;

/** Compiles it, runs its cases and the deletion check, in the same way. */
export const testPolicy = (source: PolicySource): Promise<Findings> => askAbout({ ask: 'test', source });

/** Compiles it and explains what it decides about a call, in the same way. */
export const explainCall = (source: PolicySource, facts: CallFacts): Promise<Findings> => askAbout({ ask: 'explain', source, facts });

const askAbout = (question: Question): Promise<Findings> => askIn(worker, question, allowance);

/** Asks one worker or another; whatever becomes of it, the answer is findings. */
export async function askIn(url: URL, question: Question, allowed: Allowance): Promise<Findings> {
  const none: Findings = { problems: [], results: [], untested: [], explanation: null };
  const large = tooLarge(question.source);
  if (large.length > 0) return { ...none, problems: large };
  const outcome = await inThrowAway<Findings>(url, question, allowed);
  if ('answer' in outcome) return outcome.answer;
  return { ...none, problems: [await notSurvived(url, question.source, outcome, allowed)] };
}

/** Size is looked at before anything is handed over. */
function tooLarge({ files }: PolicySource): PolicyProblem[] {
  const problem = (file: string, cause: string): PolicyProblem => ({ file, line: null, policy: null, cause, remedy: 'Split it by theme' });
  let total = 0;
  const problems = files.flatMap(({ file, text, cases }) => {
    const [bytes, casesSize] = [Buffer.byteLength(text), Buffer.byteLength(cases ?? '')];
    total += bytes + casesSize;
    return [
      ...(bytes > textLimits.bytes ? [problem(file, `The file is larger than ${textLimits.bytes} bytes`)] : []),
      ...(casesSize > casesBytes ? [problem(file.replace(/\.cedar$/, '.cases.yaml'), `The file is larger than ${casesBytes} bytes`)] : []),
    ];
  });
  if (problems.length > 0) return problems;
  const remedy = 'Take out what is not needed: every decision reads the policies that concern its tool';
  if (files.length > most.files) return [{ ...problem('(policies)', `More than ${most.files} policy files`), remedy }];
  return total > most.bytes ? [{ ...problem('(policies)', `The policies and cases are larger than ${most.bytes} bytes together`), remedy }] : [];
}

/** Names the file: where the worker was, else where a second one stops that says at each file that it comes next. */
async function notSurvived(url: URL, source: PolicySource, { died, at }: { died: string; at: string | null }, allowed: Allowance): Promise<PolicyProblem> {
  const [only, ...others] = source.files;
  const known = at ?? (only && others.length === 0 ? only.file : await stopsAt(url, source, allowed));
  return {
    file: known ?? '(policies)',
    line: null,
    policy: null,
    cause: `The policy engine did not survive this text: ${died}`,
    remedy: 'Write its conditions shorter and flatter, or split the file; what is in force is as it was',
  };
}

async function stopsAt(url: URL, source: PolicySource, allowed: Allowance): Promise<string | null> {
  const outcome = await inThrowAway<Findings>(url, { ask: 'locate', source } satisfies Question, allowed);
  return 'died' in outcome && outcome.at ? outcome.at : null;
}
