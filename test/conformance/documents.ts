import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { prompts, resources, templates } from './readable.ts';
import { approved, suiteTools } from './tools.ts';

/** One tenant whose only upstream is the suite's, as JSON, which is YAML: all of it granted, some waiting for a person. */

export const tenant = 'referee';
export const agent = 'caller';
export const useCase = 'be-checked';
/** What stands before the fixture's own names of its tools and prompts. */
export const prefix = 'suite__';

const far = { expires: '2099-12-31', review_by: '2099-12-31' };

export async function writeDocuments(dir: string, key: JWK): Promise<string> {
  const out = join(dir, 'documents');
  await mkdir(join(out, tenant), { recursive: true });
  const platform = {
    kind: 'Platform',
    tenants: {
      [tenant]: {
        trust: [
          { spiffe: 'referee.example', bundle: 'local', for: 'workloads' },
          { oidc: 'local', audience: 'taskgate', for: 'people' },
        ],
      },
    },
    commands: { 'suite-upstream': { run: ['node', join(import.meta.dirname, 'upstream.ts')] } },
  };
  await writeFile(join(out, 'platform.yaml'), JSON.stringify(platform));
  await writeFile(
    join(out, tenant, 'tenant.yaml'),
    documentsOf(key)
      .map((one) => JSON.stringify(one))
      .join('\n---\n'),
  );
  await writeFile(join(out, tenant, 'rules.cedar'), rules);
  await writeFile(join(out, tenant, 'rules.cases.yaml'), JSON.stringify(cases));
  return out;
}

function documentsOf(key: JWK): object[] {
  const people = {
    dana: { subject: 'local#dana', roles: ['admin'] },
    bob: { subject: 'local#bob', groups: ['referees'], roles: ['reviewer'] },
  };
  const labels = { reaches: 'tenant', returns: { sensitivity: 'public' } };
  const toolOf = (name: string) => ({ name, says: `The suite's ${name}`, effect: 'read', ...labels });
  return [
    { kind: 'Tenant', name: tenant, people },
    {
      kind: 'Agent',
      tenant,
      name: agent,
      owner: 'dana',
      purpose: 'Calls what the suite calls',
      workflow: 'refereeing',
      identity: { jwk: key },
      clearance: 'internal',
      ...far,
    },
    {
      kind: 'UseCase',
      tenant,
      name: useCase,
      workflow: 'refereeing',
      owner: 'dana',
      purpose: 'Be checked by the official suite',
      accountable: 'dana',
      grants: [{ tools: [`${prefix}*`], effect: 'read' }],
      ceiling: 'internal',
      lifetime: { default: '30m', longest: '30m' },
      budget: { calls: 10_000 },
      max_open_sessions: 10,
      ...far,
    },
    {
      kind: 'Upstream',
      tenant,
      name: 'suite',
      transport: { type: 'stdio', command: 'suite-upstream' },
      deadline: '70s',
      tools: suiteTools.map(toolOf),
      resources: [
        ...resources.map(({ uri, as, says }) => ({ uri, as, says, ...labels })),
        ...templates.map(({ template, as, says }) => ({ template, as, says, ...labels })),
      ],
      prompts: Object.entries(prompts).map(([name, { description }]) => ({
        name,
        says: description,
        reaches: 'tenant',
        returns: { sensitivity: 'public', integrity: 'tenant' },
      })),
    },
  ];
}

const rules = `@id("${tenant}/refereeing-may-use-its-grants")
@reason("Refereeing may use what its session was granted")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "refereeing" };

@id("${tenant}/jobs-need-a-referee")
@reason("A person looks at each job before it runs")
forbid (principal, action in [${approved.map((name) => `Taskgate::Action::"${prefix}${name}"`).join(', ')}], resource)
unless { context.satisfied.contains("approval:referees") };
`;

const cases = [
  { case: 'a greeting is allowed', tool: `${prefix}greet`, facts: { args: {} }, expect: { decision: 'allow' } },
  { case: 'a job waits', tool: `${prefix}slow_compute`, facts: { args: { seconds: 1 } }, expect: { decision: 'require' } },
];
