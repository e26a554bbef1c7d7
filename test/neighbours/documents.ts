import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { stringify } from 'yaml';

/** Tenants that are alike, each with one agent and one upstream. */

export const agent = 'caller';
const far = { expires: '2099-12-31', review_by: '2099-12-31' };

/**
 * Writes documents below `dir/documents` and each agent's private key beside them, as `dir/<tenant>.json`. The tenants' upstreams
 * take the ports by turns.
 */
export async function writeTenants(dir: string, tenants: readonly string[], upstreamPorts: readonly number[]): Promise<string> {
  const out = join(dir, 'documents');
  await mkdir(out, { recursive: true });
  const platform = {
    apiVersion: 'taskgate/v1',
    kind: 'Platform',
    tenants: Object.fromEntries(
      tenants.map((name) => [
        name,
        {
          trust: [
            { spiffe: `${name}.example`, bundle: 'local', for: 'workloads' },
            { oidc: 'local', audience: 'taskgate', for: 'people' },
          ],
        },
      ]),
    ),
  };
  await writeFile(join(out, 'platform.yaml'), stringify(platform));
  for (const [index, tenant] of tenants.entries()) {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    await writeFile(join(dir, `${tenant}.json`), JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'ES256' }));
    await mkdir(join(out, tenant), { recursive: true });
    const documents = documentsOf(tenant, await exportJWK(publicKey), upstreamPorts[index % upstreamPorts.length] ?? 0).map((one) =>
      stringify({ apiVersion: 'taskgate/v1', ...one }),
    );
    await writeFile(join(out, tenant, 'tenant.yaml'), documents.join('---\n'));
    await writeFile(join(out, tenant, 'rules.cedar'), rulesOf(tenant));
    await writeFile(join(out, tenant, 'rules.cases.yaml'), JSON.stringify(casesOf(tenant)));
  }
  return out;
}

function documentsOf(tenant: string, jwk: object, port: number): object[] {
  const read = (name: string) => ({ name, says: `Reads ${name}`, effect: 'read', reaches: 'tenant', returns: { sensitivity: 'internal' } });
  return [
    { kind: 'Tenant', name: tenant, people: { dana: { subject: 'local#dana', roles: ['admin'] } } },
    { kind: 'Agent', tenant, name: agent, owner: 'dana', purpose: 'Calls', workflow: 'calling', identity: { jwk }, clearance: 'confidential', ...far },
    {
      kind: 'UseCase',
      tenant,
      name: 'call',
      workflow: 'calling',
      owner: 'dana',
      purpose: 'Call',
      accountable: 'dana',
      grants: [{ tools: ['bench__*'], effect: 'read' }],
      ceiling: 'confidential',
      lifetime: { default: '1h', longest: '1h' },
      budget: { calls: 1_000_000_000 },
      ...far,
    },
    {
      kind: 'Upstream',
      tenant,
      name: 'bench',
      transport: { type: 'http', url: `http://127.0.0.1:${port}/mcp` },
      egress: [`127.0.0.1:${port}`],
      deadline: '3s',
      tools: ['echo', 'hang', 'slow', 'big'].map(read),
    },
  ];
}

const rulesOf = (tenant: string): string => `@id("${tenant}/calls")
@reason("Callers may use what they were granted")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "calling" };

@id("${tenant}/never")
@reason("Such texts are not sent")
forbid (principal, action == Taskgate::Action::"bench__echo", resource)
when { context.args.text like "never-*" };
`;

const casesOf = (tenant: string): object[] => [
  { case: 'echo is allowed', tool: 'bench__echo', facts: { args: { text: 'hello' }, session: { mode: 'autonomous' } }, expect: { decision: 'allow' } },
  {
    case: 'never is denied',
    tool: 'bench__echo',
    facts: { args: { text: 'never-x' }, session: { mode: 'autonomous' } },
    expect: { decision: 'deny', policies: [`${tenant}/never`] },
  },
];
