import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DecisionRequest, decideApproval, listApprovals } from '../../server/approvals/index.ts';
import type { Person } from '../../server/identity/index.ts';
import type { ApprovalRow } from '../../server/store/store.ts';
import { acme, acmePeople, type Bench, openBench } from './fixture.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const [bob, carl, lea, nora, ana] = ['bob', 'carl', 'lea', 'nora', 'ana'].map((name) => acme(`local#${name}`)) as [Person, Person, Person, Person, Person];
async function decide(person: Person, row: ApprovalRow, over: Partial<DecisionRequest> = {}): Promise<string> {
  const request = { approval: row.id, digest: row.digest, decision: 'approve', reason: `As ordered by ${row.id}`, ...over } as const;
  const answer = await decideApproval(bench.ports, person, request);
  return answer.ok ? answer.approval.status : answer.code;
}
const deny = { decision: 'deny', reason: 'Not our supplier' } as const;
const recordsOf = async (row: ApprovalRow) => {
  const all = await bench.ports.store.readRecords(row.tenant, 0, 5_000);
  return all.map(({ body }) => body).filter(({ approval }) => approval === row.id);
};
/** An approval asked under these rules of the tenant. */
async function under(approvals: object, requirements: string[]): Promise<ApprovalRow> {
  await bench.changePeople('acme', acmePeople, { approvals });
  return bench.ask(await bench.openSession(), requirements);
}

describe('stages', () => {
  const asked = ['approval:finance', 'approval:legal'];
  const stages = { stages: ['legal', 'finance'] };

  test('whoever comes later is not asked, and cannot approve, before those of an earlier stage agreed', async () => {
    const row = await under(stages, asked);
    const waiting = async (person: Person) => (await listApprovals(bench.ports, person, { status: null, after: null, limit: 50 })).items;
    expect(await waiting(bob)).toEqual([]);
    expect(await decide(bob, row)).toBe('approval.not_yet');
    expect((await waiting(lea)).map(({ id }) => id)).toEqual([row.id]);
    expect(await decide(lea, row)).toBe('pending');
    expect((await waiting(bob)).map(({ id }) => id)).toEqual([row.id]);
    expect(await decide(bob, row)).toBe('approved');
  });
  test('a person of both gives the one that is asked first', async () => {
    const row = await under(stages, asked);
    expect(await decide(nora, row, { requirement: 'approval:finance' })).toBe('approval.not_yet');
    expect(await decide(nora, row)).toBe('pending');
    expect((await bench.ports.store.readApproval('acme', row.id))?.votes[0]?.requirement).toBe('approval:legal');
  });
  test('a denial is heard at any time', async () => {
    expect(await decide(bob, await under(stages, asked), deny)).toBe('denied');
  });
  test('the sponsor can be asked before or after the others', async () => {
    const row = await under({ stages: ['sponsor', 'finance'] }, ['approval:finance', 'confirm:sponsor']);
    expect(await decide(bob, row)).toBe('approval.not_yet');
    expect(await decide(ana, row)).toBe('pending');
    expect(await decide(bob, row)).toBe('approved');
  });
  test('stay those under which it was asked, whatever the tenant says meanwhile', async () => {
    const row = await under(stages, asked);
    await bench.changePeople('acme', acmePeople);
    expect(await decide(bob, row)).toBe('approval.not_yet');
  });
});

describe('a veto', () => {
  test('denies alone where the tenant says nothing of it', async () => {
    const row = await under({}, ['approval:finance:2']);
    await decide(bob, row);
    expect(await decide(carl, row, deny)).toBe('denied');
  });
  test('takes as many people as the tenant says of the group, and fewer do not stop the others', async () => {
    const row = await under({ vetoes: { finance: 2 } }, ['approval:finance:2']);
    expect(await decide(bob, row, deny)).toBe('pending');
    expect(await decide(carl, row)).toBe('pending');
    expect(await decide(nora, row)).toBe('approved');
    const other = await bench.ask(await bench.openSession());
    expect(await decide(bob, other, deny)).toBe('pending');
    expect(await decide(carl, other, deny)).toBe('denied');
  });
  test('of a group that is not named still denies alone, and so does the sponsor', async () => {
    expect(await decide(lea, await under({ vetoes: { finance: 2 } }, ['approval:finance', 'approval:legal']), deny)).toBe('denied');
    expect(await decide(ana, await under({ vetoes: { finance: 2 } }, ['approval:finance', 'confirm:sponsor']), deny)).toBe('denied');
  });
});

describe('a reason', () => {
  test('is owed for a denial, and for approving what cannot be undone', async () => {
    const row = await under({}, ['approval:finance:2']);
    for (const reason of [null, '', '  ', 'ok']) {
      expect(await decide(bob, row, { reason })).toBe('approval.reason_required');
      expect(await decide(bob, row, { ...deny, reason })).toBe('approval.reason_required');
    }
    const terms = { effect: 'write', stages: [], vetoes: {}, escalateTo: [] } as const;
    const undone = await bench.ask(await bench.openSession(), ['approval:finance'], { terms });
    expect(await decide(bob, undone, { reason: null })).toBe('approved');
  });
  test('given three times in a row is noted with the vote, however it is spelt', async () => {
    await bench.changePeople('acme', acmePeople);
    const noted: unknown[] = [];
    for (const reason of ['Fine with me', 'fine with me.', ' FINE  with me!', 'Checked the order', 'fine with me']) {
      bench.now.at += 1;
      const row = await bench.ask(await bench.openSession(), ['approval:legal']);
      await decide(lea, row, { reason });
      noted.push((await recordsOf(row)).find(({ type }) => type === 'approval.voted')?.same_reason);
    }
    expect(noted).toEqual([undefined, undefined, 3, undefined, undefined]);
  });
});

describe('while nobody decides', () => {
  const told = async (row: ApprovalRow) =>
    (await recordsOf(row)).filter(({ type }) => type === 'approval.reminded' || type === 'approval.escalated').map(({ type, to }) => [type, to]);
  const lapse = async (row: ApprovalRow, part: number): Promise<void> => {
    bench.now.at = row.createdAt + (row.expiresAt - row.createdAt) * part;
    await Promise.all([bench.ports.store.sweep(bench.now.at), bench.ports.store.sweep(bench.now.at)]);
  };

  test('those asked are reminded at a quarter and at half of its time, others are told at three quarters, each once', async () => {
    const row = await under({ escalate_to: ['heads'] }, ['approval:finance:2', 'confirm:sponsor']);
    const heard: string[] = [];
    const stop = bench.ports.store.subscribe((one) => void (one.kind === 'approval' && heard.push(one.id)));
    await lapse(row, 0.24);
    expect(await told(row)).toEqual([]);
    const both = ['group:finance', 'sponsor'];
    await lapse(row, 0.25);
    await lapse(row, 0.3);
    expect(await told(row)).toEqual([['approval.reminded', both]]);
    await decide(ana, row);
    await lapse(row, 0.5);
    await lapse(row, 0.75);
    await lapse(row, 0.99);
    expect(await told(row)).toEqual([
      ['approval.reminded', both],
      ['approval.reminded', ['group:finance']],
      ['approval.escalated', ['group:finance', 'group:heads']],
    ]);
    // Each of these, and ana's vote.
    expect(heard.filter((id) => id === row.id)).toHaveLength(4);
    stop();
  });
  test('what was missed while no broker ran is told once, as the latest of it; without a group for it the admins are told', async () => {
    const row = await under({}, ['approval:finance']);
    await lapse(row, 0.8);
    expect(await told(row)).toEqual([['approval.escalated', ['group:finance', 'role:admin']]]);
  });
  test('of stages only those are reminded who are asked now', async () => {
    const row = await under({ stages: ['legal', 'finance'] }, ['approval:finance', 'approval:legal']);
    await lapse(row, 0.25);
    expect(await told(row)).toEqual([['approval.reminded', ['group:legal']]]);
  });
  test('what was decided is not reminded of, and expiry denies', async () => {
    const row = await under({}, ['approval:finance']);
    const other = await bench.ask(await bench.openSession(), ['approval:finance']);
    await decide(bob, row);
    await lapse(row, 0.3);
    expect(await told(row)).toEqual([]);
    await lapse(row, 1);
    expect((await bench.ports.store.readApproval('acme', other.id))?.status).toBe('expired');
    expect(await decide(bob, other)).toBe('approval.not_pending');
  });
});
