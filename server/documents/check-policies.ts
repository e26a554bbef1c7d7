import { type CaseResult, type PolicyProblem, type PolicySource, testPolicy } from '../../policies/index.ts';
import type { NextTenant } from './merge.ts';
import type { DocumentProblem } from './problems.ts';

/** Digests of laws that held when this process looked: a plan is often made more than once before it takes effect. */
const held = new Set<string>();
const mostHeld = 256;

/** What is wrong with a law, by the `digest` of all that decides it; one that has held here is not looked at again. */
export async function checkPolicies(tenant: NextTenant, source: PolicySource, digest: string): Promise<readonly DocumentProblem[]> {
  if (held.has(digest)) return [];
  const problems = await problemsOf(tenant, source);
  if (problems.length > 0) return problems;
  if (held.size >= mostHeld) held.clear();
  held.add(digest);
  return [];
}

/** Compiles a tenant's law as it would be, runs its cases, and asks that every policy be missed by some case; all of it apart from the live engine. */
async function problemsOf(tenant: NextTenant, source: PolicySource): Promise<readonly DocumentProblem[]> {
  const sources = new Map(tenant.policies.map(({ file, source: from }) => [file, from]));
  const cedarFile = (file: string): string => sources.get(file) ?? file;
  const casesFile = (file: string): string => cedarFile(file).replace(/\.cedar$/, '.cases.yaml');
  const { problems, results, untested } = await testPolicy(source);
  if (problems.length > 0) return problems.map((problem) => fromPolicy(problem, cedarFile(problem.file)));
  const failed = results.filter(({ ok }) => !ok);
  if (failed.length > 0) return failed.map((result) => fromCase(result, casesFile(result.file)));
  return untested.map((policy) => ({
    file: casesFile(source.files.find(({ text }) => text.includes(`"${policy}"`))?.file ?? ''),
    line: null,
    path: policy,
    cause: 'No case would notice if this policy were gone',
    remedy: 'Add a case whose decision depends on it',
  }));
}

const fromPolicy = ({ line, policy, cause, remedy }: PolicyProblem, file: string): DocumentProblem => ({ file, line, path: policy ?? '', cause, remedy });

function fromCase({ case: name, expected, actual }: CaseResult, file: string): DocumentProblem {
  const by = actual.policies.length > 0 ? ` by ${actual.policies.join(', ')}` : '';
  const asks = actual.requirements.length > 0 ? ` (${actual.requirements.join(', ')})` : '';
  const why = actual.cause === null ? '' : `; ${actual.cause}`;
  return {
    file,
    line: null,
    path: name,
    cause: `The case does not hold: expected ${expected.decision}, got ${actual.decision}${asks}${by}${why}`,
    remedy: 'Correct the policy, or what the case expects; `taskgate policy explain` shows why',
  };
}
