import { readdirSync, readFileSync } from 'node:fs';
import type { CallFacts, PolicySource, PolicyTool, TenantPolicy } from '../../policies/index.ts';
import { bottom, compilePolicy } from '../../policies/index.ts';

const folder = new URL('../../policies/tenants/', import.meta.url);

/** The shipped policies of a sample tenant, as its documents would give them. */
export function policyFiles(tenant: string): PolicySource['files'] {
  const own = new URL(`${tenant}/`, folder);
  return readdirSync(own)
    .filter((name) => name.endsWith('.cedar'))
    .sort()
    .map((name) => ({
      file: `${tenant}/${name}`,
      text: readFileSync(new URL(name, own), 'utf8'),
      cases: readFileSync(new URL(name.replace(/\.cedar$/, '.cases.yaml'), own), 'utf8'),
    }));
}

const string = { type: 'string' };

export const payment: PolicyTool = {
  name: 'ledger__post_payment',
  upstream: 'ledger',
  effect: 'destructive',
  reaches: 'external',
  accepts: 'internal',
  returns: { sensitivity: 'internal', categories: [], integrity: 'tenant' },
  inputSchema: {
    type: 'object',
    properties: { invoice: string, iban: string, amount: { type: 'number' }, memo: string },
    required: ['invoice', 'iban', 'amount'],
    additionalProperties: false,
  },
};

export const invoice: PolicyTool = {
  ...payment,
  name: 'ledger__get_invoice',
  effect: 'read',
  reaches: 'tenant',
  accepts: 'restricted',
  inputSchema: { type: 'object', properties: { invoice: string }, required: ['invoice'] },
};

export const search: PolicyTool = {
  ...invoice,
  name: 'mail__search',
  upstream: 'mail',
  returns: { sensitivity: 'internal', categories: ['pii'], integrity: 'external' },
  inputSchema: { type: 'object', properties: { query: string, limit: { type: 'integer' } }, required: ['query'] },
};

/** What of the demonstration upstream may be read and be prompted with: the sample policies speak of it. */
const readings: readonly PolicyTool[] = [
  { ...invoice, name: 'everything__architecture', upstream: 'everything', inputSchema: { type: 'object', properties: {} } },
  {
    ...invoice,
    name: 'everything__text',
    upstream: 'everything',
    inputSchema: { type: 'object', properties: { resourceId: string }, required: ['resourceId'] },
  },
  { ...invoice, name: 'everything__args-prompt', upstream: 'everything', inputSchema: { type: 'object', properties: { city: string }, required: ['city'] } },
];

export const acme: Omit<PolicySource, 'files'> = {
  tenant: 'acme',
  tools: [payment, invoice, search, ...readings],
  useCases: [
    { name: 'match-invoices', workflow: 'invoice-matching', inputs: { invoice: { type: 'string', pattern: '^INV-[0-9]{1,8}$' } } },
    { name: 'browse-samples', workflow: 'exploration', inputs: {} },
  ],
  agents: [
    { name: 'invoice-matcher', workflow: 'invoice-matching' },
    { name: 'explorer', workflow: 'exploration' },
  ],
};

export const globex: Omit<PolicySource, 'files'> = {
  ...acme,
  tenant: 'globex',
  useCases: [{ name: 'match-invoices', workflow: 'invoice-matching', inputs: {} }],
  agents: [{ name: 'invoice-clerk', workflow: 'invoice-matching' }],
};

/** The permit every made-up set starts with. */
export const permit = `@id("acme/matcher")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "invoice-matching" };
`;

export const source = (text: string, over: Partial<PolicySource> = {}): PolicySource => ({
  ...acme,
  files: [{ file: 'acme/made-up.cedar', text, cases: null }],
  ...over,
});

export async function compiled(from: PolicySource): Promise<TenantPolicy> {
  const answer = await compilePolicy(from);
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems, null, 1));
  return answer.policy;
}

/** Why a set is refused, one line each; empty when it compiles. */
export async function causes(from: PolicySource): Promise<string[]> {
  const answer = await compilePolicy(from);
  return 'problems' in answer ? answer.problems.map(({ cause }) => cause) : [];
}

type Overrides = {
  [K in keyof CallFacts]?: CallFacts[K] extends readonly unknown[] | string | number ? CallFacts[K] : Partial<CallFacts[K]>;
};

/** A valid call of acme's invoice-matcher: pays 20 euros to a German account; each part can be changed. */
export function call(over: Overrides = {}, tool: PolicyTool = payment): CallFacts {
  const { inputSchema: _, ...facts } = tool;
  return {
    tenant: over.tenant ?? 'acme',
    agent: { name: 'invoice-matcher', tenant: 'acme', owner: 'dana', workflow: 'invoice-matching', clearance: 'confidential', status: 'active', ...over.agent },
    sponsor: { person: 'local#ana', groups: ['finance'], standing: 'active', ...over.sponsor },
    tool: { ...facts, tenant: 'acme', pinned: true, ...over.tool },
    session: {
      id: 'ses_acme_0123456789abcdefghijkl',
      tenant: 'acme',
      useCase: 'match-invoices',
      mode: 'delegated',
      attestedBy: 'sponsor',
      live: true,
      granted: true,
      ceiling: 'confidential',
      age: 10,
      calls: 0,
      label: bottom,
      ...over.session,
    },
    inputs: over.inputs ?? {},
    args: over.args ?? (tool === payment ? { invoice: 'INV-7', iban: 'DE02120300000000202051', amount: 20 } : { query: 'invoice', invoice: 'INV-7' }),
    token: { bound: true, ...over.token },
    now: over.now ?? 1_800_000_000,
    satisfied: over.satisfied ?? [],
  };
}
