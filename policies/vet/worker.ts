import { findUntested, runCases } from '../cases/run.ts';
import { compilePolicy, lawOf } from '../engine/compile.ts';
import { parsePolicies } from '../engine/parse-policies.ts';
import { inputsOf, schemaOf, toolType } from '../engine/schema.ts';
import { validatePolicies } from '../engine/validate.ts';
import type { PolicySource } from '../facts.ts';
import { explain } from '../what-if/explain.ts';
import { asked, say } from './asked.ts';
import type { Findings, Question } from './question.ts';

const nothing: Findings = { problems: [], results: [], untested: [], explanation: null };

say({ answer: await answer(await asked<Question>()) });

async function answer(question: Question): Promise<Findings> {
  const { source } = question;
  if (question.ask === 'locate') locate(source);
  const compiled = await compilePolicy(source);
  if ('problems' in compiled) return { ...nothing, problems: compiled.problems };
  const law = lawOf(compiled.policy);
  switch (question.ask) {
    case 'test':
      return { ...nothing, results: runCases(source, compiled.policy), untested: findUntested(source) };
    case 'explain':
      return { ...nothing, explanation: explain(law, question.facts) };
    default:
      return nothing;
  }
}

function locate({ files, tools, useCases }: PolicySource): void {
  const schema = schemaOf(tools.map(toolType), inputsOf(useCases));
  for (const { file, text } of files) {
    say({ at: file });
    validatePolicies(parsePolicies(file, text).policies, schema);
  }
  say({ at: '' });
}
