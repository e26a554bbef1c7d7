import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { modernClient, newFolder, startTestBroker, type TestBroker } from '../support/broker.ts';
import type { Extras } from '../support/documents.ts';
import { readSuite } from '../support/suites.ts';

/** The agents of ASB with their own tools, and every tool its attackers would have them use, on one upstream that has them all. */

interface Suite {
  readonly agents: readonly { readonly agent: string; readonly normal_tools: readonly Tool[]; readonly attacker_tools: readonly Tool[] }[];
}
type Tool = { readonly name: string };
const suite = readSuite<Suite>('asb/asb.json');
const agents = (suite?.agents ?? []).map(({ agent, normal_tools, attacker_tools }) => ({
  name: agent.replaceAll('_', '-').replace(/-agent$/, ''),
  own: normal_tools.map(({ name }) => name),
  attackers: attacker_tools.map(({ name }) => name),
}));
const attackers = [...new Set(agents.flatMap((agent) => agent.attackers))];
/** Half of them the tenant has registered, for others; the other half only the upstream knows. */
const registered = attackers.filter((_, at) => at % 2 === 0).filter((name) => `desk__${name}`.length <= 64);

function documents(file: string): Extras {
  const dates = { expires: '2027-06-30', review_by: '2027-01-31' };
  const labels = { effect: 'read', reaches: 'tenant', returns: { sensitivity: 'internal', integrity: 'tenant' } };
  const own = agents.flatMap((agent) => agent.own);
  const upstream = {
    kind: 'Upstream',
    tenant: 'acme',
    name: 'desk',
    transport: { type: 'stdio', command: 'listed' },
    tools: [...own, ...registered].map((name) => ({ name, ...labels })),
  };
  const each = agents.flatMap((agent) => [
    {
      kind: 'Agent',
      tenant: 'acme',
      name: agent.name,
      owner: 'dana',
      purpose: 'Does one kind of work',
      workflow: agent.name,
      identity: `spiffe://acme.example/agent/${agent.name}`,
      clearance: 'internal',
      memory: 'none',
      ...dates,
    },
    {
      kind: 'UseCase',
      tenant: 'acme',
      name: agent.name,
      workflow: agent.name,
      owner: 'dana',
      purpose: 'One kind of work',
      accountable: 'dana',
      grants: agent.own.map((tool) => ({ tool: `desk__${tool}` })),
      ceiling: 'internal',
      lifetime: { default: '30m', longest: '1h' },
      budget: { calls: 100 },
      max_open_sessions: 5,
      ...dates,
    },
  ]);
  const permits = agents.map(
    ({ name }) =>
      `@id("acme/${name}")\n@reason("Works with its grants")\npermit (principal, action in Taskgate::Action::"call", resource)\nwhen { principal.workflow == "${name}" };\n`,
  );
  const cases = agents.map(({ name, own: [tool] }) => ({
    case: `${name} works`,
    tool: `desk__${tool}`,
    facts: { args: {}, agent: { name, workflow: name } },
    expect: { decision: 'allow', policies: [`acme/${name}`] },
  }));
  const fixture = join(import.meta.dirname, '../attacks/fixtures/listed-tools.ts');
  return {
    commands: { listed: { run: ['node', fixture, file, ...own, ...attackers], allow_write: [file] } },
    files: {
      'acme/desk.yaml': [upstream, ...each].map((one) => stringify(one, { aliasDuplicateObjects: false })).join('---\n'),
      'acme/desk.cedar': permits.join('\n'),
      'acme/desk.cases.yaml': stringify(cases),
    },
  };
}

describe.skipIf(suite === null)(`ASB (${suite === null ? 'not found: skipped' : `${agents.length} agents, ${attackers.length} attacker tools`})`, () => {
  let broker: TestBroker;
  let file: string;
  const plenty = { per_second: 1_000_000, burst: 1_000_000 };
  beforeAll(async () => {
    const dir = await newFolder();
    file = join(dir, 'called.txt');
    broker = await startTestBroker({
      dir,
      ...documents(file),
      limits: { requests: { session: plenty, agent: plenty, tenant: plenty }, refusals: { session: plenty, agent: plenty } },
    });
  });
  afterAll(() => broker.end());

  const called = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);

  it.each(agents)(
    '$name reaches its own tools and no other, however they are named, and each try is on the record',
    async ({ name, own, attackers: tempting }) => {
      const task = await broker.open({ agent: name, sponsor: null, use_case: name, inputs: {} });
      const client = await modernClient(task);
      const listed = (await client.listTools()).tools.map((tool) => tool.name).filter((tool) => tool.includes('__'));
      expect(listed.sort()).toEqual(own.map((tool) => `desk__${tool}`).sort());

      const before = called().length;
      const others = agents.filter((agent) => agent.name !== name).flatMap((agent) => agent.own);
      const tries = [...tempting.flatMap((tool) => [`desk__${tool}`, tool, `DESK__${tool}`]), ...others.map((tool) => `desk__${tool}`)];
      for (const tool of tries) await expect(client.callTool({ name: tool, arguments: {} }), tool).rejects.toMatchObject({ code: -32602 });
      expect(called()).toHaveLength(before);

      for (const tool of own) expect(await client.callTool({ name: `desk__${tool}`, arguments: {} })).toMatchObject({ content: [{ text: `did ${tool}` }] });
      expect(called().slice(before)).toEqual(own);
      await client.close();

      const records = (await broker.ports.store.readRecords('acme', 0, 10_000)).map(({ body }) => body).filter(({ session }) => session === task.session);
      const refused = records.filter(({ type }) => type === 'call.refused');
      expect(refused.map(({ tool, code }) => [tool, code])).toEqual(tries.map((tool) => [tool, 'tool.not_granted']));
    },
  );
});
