import { afterAll, beforeAll, expect, it } from 'vitest';
import { decideStanding, proposeStanding } from '../../server/approvals/index.ts';
import { acme, type Bench, openBench } from './fixture.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const proposal = (agent: string | undefined) => ({
  ...{ requirement: 'approval:finance', tool: 'ledger__post_payment', use_case: 'match-invoices', ...(agent === undefined ? {} : { agent }) },
  arguments: { invoice: { const: 'INV-7' }, iban: { const: 'DE02120300000000202051' }, amount: { maximum: 800 } },
  ...{ max_calls: 2, max_amount: 1_000, per_day: {}, max_label: { sensitivity: 'internal' as const, categories: [], integrity: 'tenant' as const } },
  ...{ ends: new Date(bench.now.at + 5 * 86_400_000).toISOString().slice(0, 10), reason: 'the yearly contract' },
});

it('whoever changed an agent within a day gives no standing approval that names it, and any other', async () => {
  const { store } = bench.ports;
  const real = store.recentChanges.bind(store);
  const voted = async (agent: string | undefined, touches: string[]) => {
    const proposed = await proposeStanding(bench.ports, acme('local#dana'), proposal(agent));
    if (!proposed.ok) throw new Error(`${proposed.code} ${proposed.message}`);
    store.recentChanges = async () => [{ author: 'local#bob', touches, adds: {}, decidedAt: bench.now.at }];
    const { id: standing, digest } = proposed.standing;
    const answer = await decideStanding(bench.ports, acme('local#bob'), { standing, digest, decision: 'approve', reason: 'as contracted' });
    store.recentChanges = real;
    return answer.ok ? answer.standing.status : answer.code;
  };
  expect(await voted('invoice-matcher', ['agent:invoice-matcher'])).toBe('approval.too_recent');
  expect(await voted('invoice-matcher', ['agent:another'])).toBe('active');
  expect(await voted(undefined, ['agent:invoice-matcher'])).toBe('active');
});
