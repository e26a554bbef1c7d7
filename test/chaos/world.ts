import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { stringify } from 'yaml';

/**
 * The tenants the brokers under test serve. A generation is one configuration as a whole: its number stands in documents and policies
 * of every kind, so that a mixture of two shows.
 */
export interface World {
  readonly issuer: string;
  readonly upstream: string;
  /** `host:port` of the mail server at which people are told of break-glass. */
  readonly letters: string;
  readonly agent: JWK;
}

/** Every payment is this much, so that the counters can be worked out again from the records. */
export const payment = 2;

/** What two people open to a session: one payment less than the session has itself. */
export const glass = { tools: ['books__pay'], calls: 2, amount: 2 * payment };

/** What two people give once for all sessions of a use case. */
export const standing = {
  ...{ requirement: 'approval:finance:2', tool: 'books__pay', use_case: 'steady' },
  arguments: { call: { type: 'string', minLength: 1 }, wait: { maximum: 1000 }, amount: { maximum: payment } },
  ...{ max_calls: 3, max_amount: 3 * payment, per_day: { calls: 2, amount: 2 * payment } },
};

export interface File {
  readonly source: string;
  readonly text: string;
}

const tool = (name: string, effect: string, more: Record<string, unknown> = {}) => ({
  name,
  effect,
  reaches: 'tenant',
  returns: { sensitivity: effect === 'read' ? 'confidential' : 'internal', integrity: 'tenant' },
  idempotency: 'header:x-dispatch',
  ...more,
});

/** acme's documents and policies in one generation. */
export function filesOfAcme({ issuer, upstream, letters, agent }: World, generation: number): File[] {
  const g = `generation ${generation}`;
  const dates = { expires: '2099-12-31', review_by: '2099-12-31' };
  const person = (name: string, roles: readonly string[], groups: readonly string[] = []) => ({ subject: `${issuer}#${name}`, roles, groups });
  const useCase = (name: string, budget: object) => ({
    ...{ kind: 'UseCase', tenant: 'acme', name, workflow: 'chaos', owner: 'dana', purpose: g, accountable: 'dana' },
    grants: [{ tools: ['books__look', 'books__note'] }, { tool: 'books__pay', arguments: {}, max_calls: 3 }],
    ceiling: 'confidential',
    lifetime: { default: '2h', longest: '4h' },
    budget,
    ...dates,
  });
  const documents = [
    {
      kind: 'Tenant',
      name: 'acme',
      people: {
        dana: person('dana', ['admin']),
        erin: person('erin', ['admin']),
        bob: person('bob', ['reviewer'], ['finance', 'emergency']),
        carl: person('carl', ['reviewer'], ['finance', 'emergency']),
      },
      break_glass: { group: 'emergency' },
    },
    // Break-glass is told everywhere, whatever a channel says.
    {
      kind: 'Channel',
      tenant: 'acme',
      name: 'on-call',
      transport: { type: 'email', server: letters, security: 'none', from: 'taskgate@acme.example', to: ['all@acme.example'] },
      events: [],
    },
    {
      kind: 'Agent',
      tenant: 'acme',
      name: 'worker',
      owner: 'dana',
      purpose: g,
      workflow: 'chaos',
      identity: { jwk: agent },
      clearance: 'confidential',
      memory: 'none',
      ...dates,
    },
    useCase('work', { calls: 12, amount: 3 * payment, per_day: { calls: 1_000_000, amount: 1_000_000 } }),
    useCase('steady', { calls: 12, amount: 6 * payment, per_day: { calls: 1_000_000, amount: 1_000_000 } }),
    useCase('daily', { calls: 50, per_day: { calls: 60 } }),
    {
      kind: 'Upstream',
      tenant: 'acme',
      name: 'books',
      transport: { type: 'http', url: upstream },
      egress: [new URL(upstream).host],
      deadline: '10s',
      tools: [tool('look', 'read'), tool('note', 'write'), tool('pay', 'destructive', { targets: { amount: 'amount' } })],
    },
  ];
  return [
    { source: 'tenants/acme/all.yaml', text: inOneFile(documents) },
    { source: 'tenants/acme/rules.cedar', text: rules(g) },
    { source: 'tenants/acme/rules.cases.yaml', text: cases },
  ];
}

export const inOneFile = (documents: readonly object[]): string => documents.map((one) => stringify(one)).join('---\n');

const rules = (generation: string): string => `@id("acme/worker-may")
@reason("${generation}")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "chaos" };

@id("acme/pay-needs-two")
@reason("${generation}")
@break_glass
@accepts("standing")
forbid (principal, action == Taskgate::Action::"books__pay", resource)
when { context.args.amount.greaterThan(decimal("1.0")) }
unless { context.satisfied.contains("approval:finance:2") };
`;
const cases = `- case: a payment needs two
  tool: books__pay
  facts: { args: { call: a, wait: 0, amount: 2 }, agent: { name: worker, workflow: chaos } }
  expect: { decision: require, requirements: ["approval:finance:2"] }
- case: what is small does not
  tool: books__pay
  facts: { args: { call: a, wait: 0, amount: 1 }, agent: { name: worker, workflow: chaos } }
  expect: { decision: allow }
`;

/** The operator's document and both tenants, below `dir`, and what acme is founded with besides: applied together, in one transaction. */
export async function writeWorld(dir: string, world: World, generation: number, besides: readonly File[] = []): Promise<string> {
  const trust = [{ oidc: world.issuer, audience: 'taskgate', for: 'people' }];
  // Never asked: nobody of globex comes.
  const elsewhere = [{ spiffe: 'globex.example', bundle_url: 'https://globex.example/bundle', for: 'workloads' }];
  const platform = {
    kind: 'Platform',
    operators: [`${world.issuer}#g${generation}`],
    tenants: { acme: { trust, notifications: { egress: [world.letters] } }, globex: { trust: elsewhere } },
  };
  const globex = { kind: 'Tenant', name: 'globex' };
  const folder = join(dir, `generation-${generation}`);
  const files = [
    { source: 'platform.yaml', text: stringify(platform) },
    { source: 'tenants/globex/tenant.yaml', text: stringify(globex) },
    // Words alone: what widens would wait for an admin, of whom there is none.
    { source: 'tenants/globex/words.cedar', text: `// generation ${generation}\n` },
    ...filesOfAcme(world, generation),
    ...besides,
  ];
  for (const { source, text } of files) {
    await mkdir(join(folder, source, '..'), { recursive: true });
    await writeFile(join(folder, source), text);
  }
  return folder;
}

/** Every generation a stored configuration speaks of; a whole one speaks of one. */
export const generationsIn = (stored: unknown): number[] => numbersIn(stored, /generation (\d+)|#g(\d+)"/g);

/** What stands in the first or second group of the pattern, each once. */
export function numbersIn(stored: unknown, pattern: RegExp): number[] {
  const found = [...JSON.stringify(stored).matchAll(pattern)].map(([, a, b]) => Number(a ?? b));
  return [...new Set(found)].sort((a, b) => a - b);
}
