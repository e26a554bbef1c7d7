import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { approveChange } from '../../server/changes/index.ts';
import { type Config, config } from '../../server/config.ts';
import { openKeys } from '../../server/credentials/index.ts';
import { type ApplyAnswer, type ApplyOptions, applyDocuments, createTenants, loadTexts } from '../../server/documents/index.ts';
import { newId } from '../../server/ids.ts';
import { openSqliteStore } from '../../server/store/index.ts';
import { createUpstreamPool } from '../../tools/index.ts';

const tiny = join(import.meta.dirname, 'tiny-upstream.ts');

/** Texts of a small tenant on the tiny upstream; each can be replaced, or taken out with null. */
export const texts = {
  'platform.yaml': `kind: Platform
tenants:
  tiny: { trust: [{ spiffe: tiny.example, bundle: local, for: workloads }, { oidc: local, audience: taskgate, for: people }] }
commands:
  tiny: { run: [node, ${JSON.stringify(tiny)}, --says, one] }
`,
  'tenant.yaml': `kind: Tenant
name: tiny
domains: [garden]
people:
  ada: { subject: "local#ada", roles: [admin] }
  ben: { subject: "local#ben", groups: [crew], roles: [reviewer] }
`,
  'agent.yaml': `kind: Agent
tenant: tiny
name: gardener
owner: ada
purpose: Looks after the garden
workflow: gardening
identity: spiffe://tiny.example/agent/gardener
clearance: internal
expires: 2030-06-30
review_by: 2030-01-31
`,
  'use-case.yaml': `kind: UseCase
tenant: tiny
name: garden
workflow: gardening
owner: ada
purpose: Look at things and touch them
sponsors: { groups: [crew] }
inputs: { what: { type: string, maxLength: 20 } }
grants:
  - { tools: ["things__*"], effect: read }
  - { tool: things__touch, arguments: { what: { from: inputs.what }, amount: { maximum: 10 } }, max_calls: 3 }
ceiling: internal
lifetime: { default: 30m, longest: 4h }
budget: { calls: 20 }
expires: 2030-06-30
review_by: 2030-01-31
`,
  'upstream.yaml': `kind: Upstream
tenant: tiny
name: things
transport: { type: stdio, command: tiny }
tools:
  - { name: look, effect: read, reaches: tenant, returns: { sensitivity: internal, categories: [garden] } }
  - { name: touch, effect: write, reaches: tenant, targets: { what: id, amount: amount }, returns: { sensitivity: internal } }
`,
  'tenants/tiny/law.cedar': `@id("tiny/gardener-may-use-its-grants")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "gardening" };
`,
  'tenants/tiny/law.cases.yaml': `- case: the gardener may look
  tool: things__look
  facts: { args: {} }
  expect: { decision: allow }
`,
} as const;
export type Texts = Readonly<Record<string, string | null>>;

export const withTexts = (changes: Texts = {}) =>
  loadTexts(Object.entries({ ...texts, ...changes } as Texts).flatMap(([source, text]) => (text === null ? [] : [{ source, text }])));

/** One text of the tiny tenant with a part of it replaced; throws when there is nothing to replace. */
export function edited(name: keyof typeof texts, from: string, to: string): Texts {
  if (!texts[name].includes(from)) throw new Error(`${name} does not say ${from}`);
  return { [name]: texts[name].replace(from, to) };
}

/** A real store, keys and pool in a folder of their own. */
export async function makeWorld(now = Date.parse('2026-06-01T12:00:00Z')) {
  const folder = await mkdtemp(join(tmpdir(), 'taskgate-documents-'));
  const clock = () => now;
  const log = pino({ level: 'silent' });
  const store = await openSqliteStore({ path: join(folder, 'taskgate.db'), clock });
  const keys = await openKeys(join(folder, 'keys'), clock);
  const upstreams = createUpstreamPool({ log, clock: Date.now });
  const settings: Config = { ...config.parse({}), public_url: 'http://localhost:7411' };
  const ports = { newId, tenants: createTenants(store, log), store, keys, upstreams, clock, log, config: settings };
  const apply = (changes: Texts = {}, options: Partial<ApplyOptions> = {}) =>
    applyDocuments(ports, withTexts(changes), {
      ...{ by: 'operator', applier: { at: 'start' }, reason: null, prune: false, dryRun: false, platform: 'allowed' },
      ...options,
    });
  /** Puts in force what waits of an apply, as ada. */
  const approve = async (answer: ApplyAnswer): Promise<ApplyAnswer> => {
    for (const { id, digest } of answer.ok ? answer.waiting : []) {
      const approved = await approveChange(ports, { tenant: 'tiny', id: 'local#ada', name: 'ada' }, { change: id, digest, reason: null });
      if (!approved.ok) throw new Error(JSON.stringify(approved));
    }
    return answer;
  };
  return {
    ports,
    folder,
    apply,
    enforce: async (...args: Parameters<typeof apply>) => approve(await apply(...args)),
    async close() {
      await upstreams.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
