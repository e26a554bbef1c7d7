import process from 'node:process';
import { bottom, type CallFacts, compilePolicy, type PolicyTool } from '../../../policies/index.ts';
import { policiesOf, tenant } from '../documents.ts';
import { spread } from '../statistics.ts';

/** The policy engine alone: how long one decision takes by how many policies concern the tool. Tells its parent the figures. */

const tool: PolicyTool = {
  name: 'bench__echo',
  upstream: 'bench',
  effect: 'read',
  reaches: 'tenant',
  accepts: 'restricted',
  returns: { sensitivity: 'internal', categories: [], integrity: 'external' },
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'], additionalProperties: false },
};
const tools = [tool, { ...tool, name: 'bench__note', effect: 'write' as const }, { ...tool, name: 'bench__ask' }];

const factsOf = (text: string): CallFacts => ({
  tenant,
  agent: { name: 'caller', tenant, owner: 'dana', workflow: 'measuring', clearance: 'confidential', status: 'active' },
  sponsor: { person: 'local#dana', groups: [], standing: 'active' },
  tool: { ...tool, tenant, pinned: true },
  session: {
    id: `ses_${tenant}_measured`,
    tenant,
    useCase: 'measure',
    mode: 'autonomous',
    attestedBy: 'agent',
    live: true,
    granted: true,
    ceiling: 'confidential',
    age: 10,
    calls: 10,
    label: bottom,
  },
  inputs: {},
  args: { text },
  token: { bound: false },
  now: 1_800_000_000,
  satisfied: [],
});

/** As many as fit into one file. */
const perFile = 100;

async function measure(policies: number, repeats: number) {
  const { texts } = policiesOf(policies);
  const files = Array.from({ length: Math.ceil(texts.length / perFile) }, (_, index) => ({
    file: `rules-${index}.cedar`,
    text: texts.slice(index * perFile, (index + 1) * perFile).join('\n'),
    cases: null,
  }));
  const compiled = await compilePolicy({
    tenant,
    files,
    tools,
    useCases: [{ name: 'measure', workflow: 'measuring', inputs: {} }],
    agents: [{ name: 'caller', workflow: 'measuring' }],
  });
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems[0]));
  // What was decided before is remembered: no two questions are alike.
  let asked = 0;
  const decide = (): number => {
    const facts = factsOf(`hello-${asked++}`);
    const began = process.hrtime.bigint();
    const { decision } = compiled.policy.decide(facts);
    const took = Number(process.hrtime.bigint() - began) / 1000;
    if (decision !== 'allow') throw new Error(`decided ${decision}`);
    return took;
  };
  for (let index = 0; index < repeats / 2; index++) decide();
  const { p50, p99 } = spread(Array.from({ length: repeats }, decide));
  return { policies, p50, p99 };
}

process.send?.([await measure(10, 3_000), await measure(100, 1_500), await measure(1_000, 400)]);
process.disconnect?.();
