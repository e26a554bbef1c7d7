import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decideApproval, revokeApproval, satisfiedLiterals } from '../../server/approvals/index.ts';
import type { ApprovalRow, ClaimRequest, SessionRow } from '../../server/store/store.ts';
import { acme, acmePeople, type Bench, openBench } from '../approvals/fixture.ts';

let bench: Bench;
const crowd = Object.fromEntries(
  Array.from({ length: 50 }, (_, i) => [`reviewer-${i}`, { subject: `local#reviewer-${i}`, groups: ['finance'], roles: ['reviewer'] }]),
);
const member = (i: number) => ({ tenant: 'acme', id: `local#reviewer-${i}`, name: `reviewer-${i}` });

beforeAll(async () => {
  bench = await openBench();
  await bench.changePeople('acme', { ...acmePeople, ...crowd });
});
afterAll(() => bench.close());

const request = (row: ApprovalRow, decision: 'approve' | 'deny' = 'approve') => ({
  ...{ approval: row.id, digest: row.digest, decision, reason: decision === 'deny' ? 'No such order' : 'As ordered' },
});
const claimFor = async (row: ApprovalRow, session: SessionRow): Promise<ClaimRequest> => {
  const view = await bench.ports.store.readSession('acme', session.id);
  const at = bench.now.at;
  return {
    ...{ tenant: 'acme', session: session.id, tool: row.tool, revision: view?.revision ?? -1, labelVersion: view?.labelVersion ?? -1, draws: [] },
    ...{ approval: { id: row.id, digest: row.digest }, dispatch: bench.ports.newId('dsp'), leaseUntil: at + 30_000, at },
    record: { type: 'call.dispatched', at, tenant: 'acme', session: session.id, approval: row.id },
  };
};
const decisionsOn = async (row: ApprovalRow): Promise<string[]> =>
  (await bench.ports.store.readRecords('acme', 0, 500))
    .filter(({ body }) => body.approval === row.id && (body.type === 'approval.approved' || body.type === 'approval.denied'))
    .map(({ body }) => body.type);

test('of fifty people deciding at once exactly one decides; the others are told that it is settled', async () => {
  const row = await bench.ask(await bench.openSession(), ['approval:finance']);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => decideApproval(bench.ports, member(i), request(row, i % 2 ? 'deny' : 'approve'))));
  const won = answers.filter((answer) => answer.ok);
  expect(won).toHaveLength(1);
  expect(answers.filter((answer) => !answer.ok).map((answer) => answer.code)).toEqual(Array(49).fill('approval.not_pending'));
  expect(await decisionsOn(row)).toHaveLength(1);
});

test('fifty requests of one person are one vote', async () => {
  const row = await bench.ask(await bench.openSession());
  const answers = await Promise.all(Array.from({ length: 50 }, () => decideApproval(bench.ports, member(1), request(row))));
  expect(answers.every((answer) => answer.ok && answer.approval.status === 'pending')).toBe(true);
  const now = await bench.ports.store.readApproval('acme', row.id);
  expect(now?.votes.map(({ person }) => person)).toEqual(['local#reviewer-1']);
});

test('two accounts of one human racing never make a quorum of two', async () => {
  const twin = { 'bob-elsewhere': { subject: 'https://login.acme.example#bob', groups: ['finance'], roles: ['reviewer'] } };
  await bench.changePeople('acme', { ...acmePeople, ...crowd, ...twin });
  const row = await bench.ask(await bench.openSession());
  const elsewhere = { tenant: 'acme', id: 'https://login.acme.example#bob', name: 'bob-elsewhere' };
  await Promise.all([acme('local#bob'), elsewhere].map((person) => decideApproval(bench.ports, person, request(row))));
  const now = await bench.ports.store.readApproval('acme', row.id);
  expect(satisfiedLiterals(now ?? row).map(({ literal }) => literal)).toEqual(['approval:finance']);
});

test('a claim racing the last vote and a revocation: taken once or never, and never after it was taken back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(['vote', 'vote again', 'claim', 'claim again', 'revoke'], { minLength: 5 }), async (order) => {
      const session = await bench.openSession();
      const row = await bench.ask(session, ['approval:finance']);
      const claims = await Promise.all([claimFor(row, session), claimFor(row, session)]);
      const acts: Record<string, () => Promise<unknown>> = {
        vote: () => decideApproval(bench.ports, member(1), request(row)),
        'vote again': () => decideApproval(bench.ports, member(2), request(row)),
        claim: async () => (await bench.ports.store.claim(claims[0])).answer,
        'claim again': async () => (await bench.ports.store.claim(claims[1])).answer,
        revoke: () => revokeApproval(bench.ports, acme('local#dana'), { approval: row.id, reason: null }),
      };
      const answers = await Promise.all(order.map(async (act) => [act, await acts[act]?.()] as const));
      const claimed = answers.filter(([, answer]) => typeof answer === 'object' && answer !== null && 'claimed' in answer && answer.claimed === true);
      const revoked = answers.some(([act, answer]) => act === 'revoke' && typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok);
      const last = await bench.ports.store.readApproval('acme', row.id);
      expect(claimed.length).toBeLessThanOrEqual(1);
      expect(claimed.length === 1 && revoked).toBe(false);
      expect(last?.status === 'used').toBe(claimed.length === 1);
    }),
    { numRuns: 40 },
  );
});

test('an approval that two people gave is taken exactly once by fifty claims', async () => {
  const session = await bench.openSession();
  const row = await bench.ask(session);
  await Promise.all([1, 2].map((i) => decideApproval(bench.ports, member(i), request(row))));
  const claims = await Promise.all(Array.from({ length: 50 }, () => claimFor(row, session)));
  const answers = await Promise.all(claims.map(async (claim) => (await bench.ports.store.claim(claim)).answer));
  expect(answers.filter((answer) => answer.claimed)).toHaveLength(1);
});

test('no sequence of votes approves without the people it asks for, and none reopens what is settled', async () => {
  const step = fc.record({ who: fc.integer({ min: 0, max: 4 }), decision: fc.constantFrom<('approve' | 'deny')[]>('approve', 'approve', 'approve', 'deny') });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { minLength: 1, maxLength: 8 }), async (needed, steps) => {
      const row = await bench.ask(await bench.openSession(), [needed === 1 ? 'approval:finance' : `approval:finance:${needed}`]);
      const agreed = new Set<number>();
      let settled: string | null = null;
      for (const { who, decision } of steps) {
        const answer = await decideApproval(bench.ports, member(who), request(row, decision));
        if (settled === null && answer.ok && decision === 'approve') agreed.add(who);
        const status = (await bench.ports.store.readApproval('acme', row.id))?.status ?? '';
        if (settled !== null) expect(status).toBe(settled);
        if (status === 'approved') expect(agreed.size).toBe(needed);
        if (status !== 'pending') settled = status;
      }
    }),
    { numRuns: 40 },
  );
});
