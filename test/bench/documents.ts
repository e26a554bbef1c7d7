import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';

/** The documents a measured broker is started with, as JSON, which is YAML: one tenant whose only upstream is the bench's. */

export const tenant = 'bench';
export const agent = 'caller';
/** The tools of the bench's upstream, all granted. */
export const benchTools = ['echo', 'note', 'ask', 'hang'] as const;
/** What an argument must start with to be forbidden by a policy. */
export const forbiddenText = 'never-';

const far = { expires: '2099-12-31', review_by: '2099-12-31' };
const returns = { sensitivity: 'internal' };

export interface Shape {
  readonly upstreamPort: number;
  readonly key: JWK;
  /** Policies that concern `echo` and `note`, the permit among them. */
  readonly policies: number;
  /** The tools of a second upstream, all granted. */
  readonly manyTools: number;
}

export async function writeDocuments(dir: string, shape: Shape): Promise<string> {
  const out = join(dir, 'documents');
  await mkdir(join(out, tenant), { recursive: true });
  const platform = {
    kind: 'Platform',
    tenants: {
      [tenant]: {
        trust: [
          { spiffe: 'bench.example', bundle: 'local', for: 'workloads' },
          { oidc: 'local', audience: 'taskgate', for: 'people' },
        ],
      },
    },
  };
  await writeFile(join(out, 'platform.yaml'), JSON.stringify(platform));
  await writeFile(
    join(out, tenant, 'tenant.yaml'),
    documentsOf(shape)
      .map((one) => JSON.stringify(one))
      .join('\n---\n'),
  );
  const { texts, cases } = policiesOf(shape.policies);
  await writeFile(join(out, tenant, 'rules.cedar'), texts.join('\n'));
  await writeFile(join(out, tenant, 'rules.cases.yaml'), JSON.stringify(cases));
  return out;
}

function documentsOf({ upstreamPort, key, manyTools }: Shape): object[] {
  const upstream = (name: string, path: string, tools: object[]) => ({
    kind: 'Upstream',
    tenant,
    name,
    transport: { type: 'http', url: `http://127.0.0.1:${upstreamPort}${path}` },
    egress: [`127.0.0.1:${upstreamPort}`],
    tools,
  });
  const read = (name: string) => ({ name, says: `Reads ${name}`, effect: 'read', reaches: 'tenant', returns });
  const many = Array.from({ length: manyTools }, (_, index) => read(`tool_${index}`));
  const people = {
    dana: { subject: 'local#dana', roles: ['admin'] },
    bob: { subject: 'local#bob', groups: ['finance'], roles: ['reviewer'] },
  };
  return [
    { kind: 'Tenant', name: tenant, people },
    { kind: 'Agent', tenant, name: agent, owner: 'dana', purpose: 'Calls', workflow: 'measuring', identity: { jwk: key }, clearance: 'confidential', ...far },
    {
      kind: 'UseCase',
      tenant,
      name: 'measure',
      workflow: 'measuring',
      owner: 'dana',
      purpose: 'Be measured',
      accountable: 'dana',
      grants: [
        { tools: ['bench__*', ...(manyTools > 0 ? ['many__*'] : [])], effect: 'read' },
        { tool: 'bench__note', arguments: { text: { maxLength: 100 } } },
      ],
      ceiling: 'confidential',
      lifetime: { default: '1h', longest: '1h' },
      budget: { calls: 1_000_000_000 },
      ...far,
    },
    upstream('bench', '/mcp', [read('echo'), { ...read('note'), says: 'Notes', effect: 'write' }, read('ask'), read('hang')]),
    ...(manyTools > 0 ? [upstream('many', `/many/${manyTools}`, many)] : []),
  ];
}

const both = '[Taskgate::Action::"bench__echo", Taskgate::Action::"bench__note"]';

/** One permit and, for the rest, forbids that read an argument, each with the case that proves it; and one that waits for a human. */
export function policiesOf(count: number): { readonly texts: readonly string[]; readonly cases: object[] } {
  const permit = `@id("${tenant}/measuring-may-use-its-grants")
@reason("Measuring may use what its session was granted")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "measuring" };
`;
  const ask = `@id("${tenant}/asking-needs-finance")
@reason("Asking needs one person from finance")
forbid (principal, action == Taskgate::Action::"bench__ask", resource)
unless { context.satisfied.contains("approval:finance") };
`;
  const rules = Array.from({ length: count - 1 }, (_, index) => ({ id: `${tenant}/rule-${index}`, text: `${forbiddenText}${index}-` }));
  const forbids = rules.map(
    ({ id, text }, index) => `@id("${id}")
@reason("Texts of this kind are not sent")
forbid (principal, action in ${both}, resource)
when { context.args.text like "${text}*"${index % 3 === 0 ? ' && context.session.mode == "autonomous"' : index % 3 === 1 ? ' && resource.sensitivity < 3' : ''} };
`,
  );
  const mode = { session: { mode: 'autonomous' } };
  const cases = [
    { case: 'echo is allowed', tool: 'bench__echo', facts: { args: { text: 'hello' } }, expect: { decision: 'allow' } },
    { case: 'asking waits', tool: 'bench__ask', facts: { args: { text: 'hello' } }, expect: { decision: 'require' } },
    ...rules.map(({ id, text }) => ({
      case: `${id} bites`,
      tool: 'bench__echo',
      facts: { args: { text: `${text}x` }, ...mode },
      expect: { decision: 'deny', policies: [id] },
    })),
  ];
  return { texts: [permit, ask, ...forbids], cases };
}
