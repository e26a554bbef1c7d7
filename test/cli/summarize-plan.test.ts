import { expect, it } from 'vitest';
import { summarizePlan } from '../../server/cli/summarize-plan.ts';
import type { Plan, PlanItem } from '../../server/documents/index.ts';

const item = (tenant: string, change: PlanItem['change'], effect: PlanItem['effect']): PlanItem => ({
  ...{ tenant, change, effect, kind: 'Agent', name: 'a', sha256: '' },
  differences: ['a line that would make a start unreadable'],
});

it('says in one line a tenant how much was applied and how much of it widens', () => {
  const plan: Plan = {
    items: [item('acme', 'added', 'widens'), item('acme', 'changed', 'narrows'), item('acme', 'removed', 'narrows'), item('globex', 'added', 'widens')],
    founding: ['globex'],
    personal: [],
    warnings: ['mail: a tool whose definition hides text'],
  };
  expect(summarizePlan(plan).split('\n')).toEqual([
    '  acme    1 added, 1 changed, 1 removed; 1 of it widens',
    '  globex  founded: 1 added; all of it widens',
    '  ! mail: a tool whose definition hides text',
  ]);
});
