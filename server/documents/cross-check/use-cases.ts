import { didYouMean } from '../../../policies/index.ts';
import { compileSchema } from '../../../tools/index.ts';
import { seconds } from '../durations.ts';
import type { TenantDocument, UseCaseDocument } from '../kinds.ts';
import type { NextTenant } from '../merge.ts';
import { lastObservable } from '../observed-use-cases.ts';
import { type DocumentProblem, type Located, problemAt } from '../problems.ts';
import { personProblem } from './people.ts';

export function checkUseCases(tenant: NextTenant, document: TenantDocument, now: number): DocumentProblem[] {
  const workflows = [...new Set([...tenant.byKind.agents.values()].map(({ workflow }) => workflow))];
  return tenant.documents.flatMap((one) => (one.body.kind === 'UseCase' ? checkUseCase(one, one.body, document, workflows, now) : []));
}

function checkUseCase(one: Located, useCase: UseCaseDocument, tenant: TenantDocument, workflows: readonly string[], now: number): DocumentProblem[] {
  const problems = personProblem(one, 'owner', useCase.owner, tenant);
  if (useCase.accountable !== undefined) problems.push(...personProblem(one, 'accountable', useCase.accountable, tenant));
  if (!workflows.includes(useCase.workflow)) {
    const remedy = `Use the workflow of an agent: ${workflows.join(', ') || 'none yet'}.${didYouMean(useCase.workflow, workflows)}`;
    problems.push(problemAt(one, ['workflow'], `No agent does ${useCase.workflow}`, remedy));
  }
  if (seconds(useCase.lifetime.default) > seconds(useCase.lifetime.longest)) {
    problems.push(problemAt(one, ['lifetime', 'default'], 'The usual lifetime is longer than the longest', 'Make `default` at most `longest`'));
  }
  if (useCase.observe_until !== undefined && useCase.observe_until > lastObservable(now)) {
    const remedy = `Give ${lastObservable(now)} or an earlier day, and prolong it when it is still needed`;
    problems.push(problemAt(one, ['observe_until'], 'Observed for more than 30 days', remedy));
  }
  for (const [name, schema] of Object.entries(useCase.inputs)) {
    const compiled = compileSchema(schema);
    if ('unsupported' in compiled)
      problems.push(problemAt(one, ['inputs', name], `Not a JSON Schema that can be checked: ${compiled.unsupported}`, 'Correct the schema'));
    else if (Object.hasOwn(schema, 'default') && compiled.check(schema['default']).length > 0) {
      problems.push(problemAt(one, ['inputs', name, 'default'], 'The default does not fit its own schema', 'Correct the default or the schema'));
    }
  }
  useCase.grants.forEach((grant, index) => {
    if ('tools' in grant) return;
    for (const [argument, constraint] of Object.entries(grant.arguments)) {
      const at = ['grants', index, 'arguments', argument];
      if (typeof constraint['from'] === 'string') {
        const input = constraint['from'].slice('inputs.'.length);
        const known = Object.keys(useCase.inputs);
        if (!known.includes(input))
          problems.push(
            problemAt(one, at, `There is no input ${input}`, `Name one of ${known.join(', ') || 'the inputs, which are none yet'}.${didYouMean(input, known)}`),
          );
        continue;
      }
      const compiled = compileSchema(constraint);
      if ('unsupported' in compiled)
        problems.push(problemAt(one, at, `Not a JSON Schema that can be checked: ${compiled.unsupported}`, 'Correct the constraint'));
    }
  });
  return problems;
}
