import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DecisionRequest, decideApproval, listApprovals, revokeApproval, satisfiedLiterals, showApproval } from '../../server/approvals/index.ts';
import type { Person } from '../../server/identity/index.ts';
import type { ApprovalRow, ClaimRequest, SessionRow } from '../../server/store/store.ts';
import { acme, acmePeople, type Bench, globex, openBench, secretArgument } from './fixture.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const decide = (person: Person, row: ApprovalRow, over: Partial<DecisionRequest> = {}) =>
  decideApproval(bench.ports, person, { approval: row.id, digest: row.digest, decision: 'approve', reason: 'As ordered', ...over });
const outcome = async (...given: Parameters<typeof decide>): Promise<string> => {
  const answer = await decide(...given);
  return answer.ok ? answer.approval.status : answer.code;
};
const statusNow = async (row: ApprovalRow): Promise<string | undefined> => (await bench.ports.store.readApproval(row.tenant, row.id))?.status;
const recordsOf = async (row: ApprovalRow) => (await bench.ports.store.readRecords(row.tenant, 0, 500)).filter(({ body }) => body.approval === row.id);

const claimFor = async (row: ApprovalRow, session: SessionRow): Promise<ClaimRequest> => {
  const view = await bench.ports.store.readSession(row.tenant, session.id);
  const at = bench.now.at;
  return {
    ...{ tenant: row.tenant, session: session.id, tool: row.tool, revision: view?.revision ?? -1, labelVersion: view?.labelVersion ?? -1, draws: [] },
    ...{ approval: { id: row.id, digest: row.digest }, dispatch: bench.ports.newId('dsp'), leaseUntil: at + 30_000, at },
    record: { type: 'call.dispatched', at, tenant: row.tenant, session: session.id, approval: row.id },
  };
};

describe('who may decide', () => {
  const delegated: [string, Person, string][] = [
    ['a reviewer of the group', acme('local#bob'), 'pending'],
    ['the sponsor', acme('local#ana'), 'approval.excluded'],
    ["the sponsor's second account, though it is a reviewer of the group", acme('https://login.acme.example#ana'), 'approval.excluded'],
    ['someone of the group without the role', acme('local#fred'), 'approval.not_found'],
    ['an admin', acme('local#dana'), 'approval.not_reviewer'],
    ['an auditor', acme('local#olga'), 'approval.not_reviewer'],
    ['a reviewer of another group', acme('local#lea'), 'approval.not_in_group'],
    ['somebody the document does not name', acme('local#stranger'), 'approval.not_found'],
    ['somebody with a name of the document but not its subject', { tenant: 'acme', id: 'local#mallory', name: 'bob' }, 'approval.not_found'],
    ['a reviewer of the same group in another tenant', globex('local#hugo'), 'approval.not_found'],
    ['an admin, reviewer and auditor of another tenant', globex('local#jan'), 'approval.not_found'],
  ];
  test.each(delegated)('%s', async (_, person, expected) => {
    const row = await bench.ask(await bench.openSession());
    expect(await outcome(person, row)).toBe(expected);
    expect(await statusNow(row)).toBe('pending');
  });

  test('a person who opened the session cannot give it, nor can any of their accounts', async () => {
    const row = await bench.ask(await bench.openSession({ requester: 'local#bob' }));
    expect(await outcome(acme('local#bob'), row)).toBe('approval.excluded');
    expect(await outcome(acme('local#carl'), row)).toBe('pending');
  });

  test('in an autonomous session neither the accountable person nor whoever owns the use case can give it', async () => {
    const over = { mode: 'autonomous', useCase: 'match-at-night', sponsor: 'local#dana' } as const;
    const row = await bench.ask(await bench.openSession(over), ['approval:finance']);
    expect(row.excluded).toEqual(['local#dana', 'local#rita']);
    expect(await outcome(acme('local#rita'), row)).toBe('approval.excluded');
    expect(await outcome(acme('local#otto'), row)).toBe('approved');
    expect(await outcome(acme('local#rita'), await bench.ask(await bench.openSession(), ['approval:finance']))).toBe('approved');
  });

  test('who joined the chain only after it was asked for is excluded by the documents of now', async () => {
    const row = await bench.ask(await bench.openSession({ sponsor: 'local#zoe' }), ['approval:finance']);
    const zoe = { zoe: { subject: 'https://login.acme.example#zoe', groups: ['finance'], roles: ['reviewer'] } };
    await bench.changePeople('acme', { ...acmePeople, ...zoe });
    expect(await outcome({ tenant: 'acme', id: 'https://login.acme.example#zoe', name: 'zoe' }, row)).toBe('approval.excluded');
    await bench.changePeople('acme', acmePeople);
  });

  test('what was written down when it was asked excludes as well as who is in the chain now', async () => {
    const session = await bench.openSession();
    const written = await bench.ask(session, ['approval:finance'], { excluded: ['https://login.acme.example#bob'] });
    expect(await outcome(acme('local#bob'), written)).toBe('approval.excluded');
    const forgotten = await bench.ask(session, ['approval:finance'], { excluded: [] });
    expect(await outcome(acme('https://login.acme.example#ana'), forgotten)).toBe('approval.excluded');
  });

  test('the sponsor, and nobody else, gives `confirm:sponsor`; that is all they give', async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance', 'confirm:sponsor']);
    expect(await outcome(acme('local#bob'), row, { requirement: 'confirm:sponsor' })).toBe('approval.not_in_group');
    expect(await outcome(acme('https://login.acme.example#ana'), row, { requirement: 'confirm:sponsor' })).toBe('approval.excluded');
    expect(await outcome(acme('local#ana'), row, { requirement: 'approval:finance' })).toBe('approval.excluded');
    expect(await outcome(acme('local#ana'), row)).toBe('pending');
    expect(await outcome(acme('local#bob'), row)).toBe('approved');
    const now = await bench.ports.store.readApproval('acme', row.id);
    expect(satisfiedLiterals(now ?? row).map(({ literal }) => literal)).toEqual(['approval:finance', 'confirm:sponsor']);
  });

  test('a plain vote never gives what asks for a passkey', async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance:passkey', 'confirm:sponsor:passkey']);
    for (const person of ['local#bob', 'local#ana']) expect(await outcome(acme(person), row)).toBe('passkey.required');
    expect(await bench.ports.store.readApproval('acme', row.id)).toMatchObject({ status: 'pending', votes: [] });
  });

  test('a plain denial is as good as a signed one, whatever the approval asks: it only narrows', async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance:passkey']);
    expect(await outcome(acme('local#bob'), row, { decision: 'deny', reason: 'not ours' })).toBe('denied');
  });

  test('the role is read when the vote is cast: lost in between, it is not there', async () => {
    const row = await bench.ask(await bench.openSession());
    await bench.changePeople('acme', {
      ...acmePeople,
      bob: { subject: 'local#bob', groups: ['finance'] },
      carl: { subject: 'local#carl', roles: ['reviewer'] },
    });
    expect(await outcome(acme('local#bob'), row)).toBe('approval.not_found');
    expect(await outcome(acme('local#carl'), row)).toBe('approval.not_in_group');
    await bench.changePeople('acme', acmePeople);
    expect(await outcome(acme('local#bob'), row)).toBe('pending');
  });

  test('a vote cast before its voter left the group still counts', async () => {
    const row = await bench.ask(await bench.openSession());
    expect(await outcome(acme('local#bob'), row)).toBe('pending');
    await bench.changePeople('acme', { ...acmePeople, bob: { subject: 'local#bob' } });
    expect(await outcome(acme('local#carl'), row)).toBe('approved');
    await bench.changePeople('acme', acmePeople);
  });

  test('when the configuration moves between reading the role and casting, the role is read again', async () => {
    const row = await bench.ask(await bench.openSession());
    const { store } = bench.ports;
    let moved = false;
    const racing: Bench['ports'] = {
      ...bench.ports,
      store: {
        ...store,
        async castVote(vote) {
          if (!moved) {
            moved = true;
            await bench.changePeople('acme', { ...acmePeople, bob: { subject: 'local#bob', groups: ['finance'], roles: ['auditor'] } });
          }
          return store.castVote(vote);
        },
      },
    };
    const answer = await decideApproval(racing, acme('local#bob'), { approval: row.id, digest: row.digest, decision: 'approve', reason: 'As ordered' });
    expect(answer).toMatchObject({ ok: false, code: 'approval.not_reviewer' });
    expect(moved).toBe(true);
    await bench.changePeople('acme', acmePeople);
  });

  test('a configuration that never stops moving refuses rather than counting a vote under another', async () => {
    const row = await bench.ask(await bench.openSession());
    const { store } = bench.ports;
    const castVote: typeof store.castVote = async (vote) => {
      await bench.changePeople('acme', acmePeople);
      return store.castVote(vote);
    };
    const request = { approval: row.id, digest: row.digest, decision: 'approve', reason: 'As ordered' } as const;
    expect(await decideApproval({ ...bench.ports, store: { ...store, castVote } }, acme('local#bob'), request)).toMatchObject({ code: 'stale' });
    expect((await bench.ports.store.readApproval('acme', row.id))?.votes).toEqual([]);
  });
});

describe('what is decided', () => {
  test('two distinct people make a quorum of two; the first alone does not', async () => {
    const row = await bench.ask(await bench.openSession());
    expect(await outcome(acme('local#bob'), row)).toBe('pending');
    expect(await outcome(acme('local#bob'), row)).toBe('pending');
    expect(await outcome(acme('local#carl'), row)).toBe('approved');
    const types = (await recordsOf(row)).map(({ body }) => body.type);
    expect(types).toEqual(['approval.requested', 'approval.voted', 'approval.voted', 'approval.approved']);
  });

  test("one person's vote counts toward one requirement, so one of two groups cannot do for both", async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance', 'approval:legal']);
    expect(await outcome(acme('local#nora'), row)).toBe('pending');
    expect(await outcome(acme('local#nora'), row, { requirement: 'approval:legal' })).toBe('approval.already_voted');
    expect(await outcome(acme('local#lea'), row)).toBe('approved');
  });

  test('a person of both groups is counted where somebody is still missing', async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance', 'approval:legal']);
    expect(await outcome(acme('local#bob'), row)).toBe('pending');
    expect(await outcome(acme('local#nora'), row)).toBe('approved');
  });

  test('asked once for one and once for two of a group, two people satisfy both', async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance', 'approval:finance:2']);
    expect(await outcome(acme('local#bob'), row)).toBe('pending');
    expect(await outcome(acme('local#carl'), row)).toBe('approved');
  });

  test('one veto denies, whoever agreed before, and nothing reopens it', async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance', 'approval:legal']);
    expect(await outcome(acme('local#bob'), row)).toBe('pending');
    expect(await outcome(acme('local#carl'), row, { decision: 'deny', reason: 'Not our supplier' })).toBe('denied');
    expect(await outcome(acme('local#lea'), row)).toBe('approval.not_pending');
    const [voted] = (await recordsOf(row)).filter(({ body }) => body.vote === 'deny');
    expect(voted?.body).toMatchObject({ actor: 'local#carl', reason: 'Not our supplier', proposal_sha256: row.digest });
  });

  test.each([
    ['no reason', null, 'approval.reason_required'],
    ['two characters', 'no', 'approval.reason_required'],
    ['spaces', '       ', 'approval.reason_required'],
    ['501 characters', 'x'.repeat(501), 'approval.reason_too_long'],
    ['three characters', 'odd', 'denied'],
    ['500 characters', 'x'.repeat(500), 'denied'],
  ])('a denial with %s', async (_, reason, expected) => {
    expect(await outcome(acme('local#bob'), await bench.ask(await bench.openSession()), { decision: 'deny', reason })).toBe(expected);
  });

  test('another digest is another proposal: nothing is decided', async () => {
    const row = await bench.ask(await bench.openSession());
    const other = await bench.ask(await bench.openSession());
    for (const digest of [other.digest, row.digest.toUpperCase(), ''])
      expect(await outcome(acme('local#bob'), row, { digest })).toBe('approval.digest_mismatch');
  });

  test('the same decision again answers the present state; the opposite is refused', async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance']);
    expect(await outcome(acme('local#bob'), row)).toBe('approved');
    expect(await outcome(acme('local#bob'), row)).toBe('approved');
    expect(await outcome(acme('local#bob'), row, { decision: 'deny', reason: 'Changed my mind' })).toBe('approval.already_voted');
    expect((await recordsOf(row)).filter(({ body }) => body.type === 'approval.voted')).toHaveLength(1);
  });

  test('what is past its expiry is decided by nobody, swept or not', async () => {
    const row = await bench.ask(await bench.openSession());
    const before = bench.now.at;
    bench.now.at = row.expiresAt;
    expect(await outcome(acme('local#bob'), row)).toBe('approval.not_pending');
    await bench.ports.store.sweep(bench.now.at);
    expect(await outcome(acme('local#bob'), row)).toBe('approval.not_pending');
    const shown = await showApproval(bench.ports, acme('local#bob'), row.id);
    expect(shown).toMatchObject({ ok: true, approval: { status: 'expired', proposal: null } });
    bench.now.at = before;
  });

  test('a requirement it does not have cannot be voted on', async () => {
    const row = await bench.ask(await bench.openSession());
    expect(await outcome(acme('local#bob'), row, { requirement: 'approval:finance' })).toBe('approval.no_such_requirement');
  });

  test('whoever waits in this process is woken by a decision', async () => {
    const row = await bench.ask(await bench.openSession(), ['approval:finance']);
    const watch = bench.ports.decisions.watch('acme', row.id);
    const woken = watch.changed(600_000, new AbortController().signal);
    await decide(acme('local#bob'), row);
    await woken;
    watch.stop();
    expect(await statusNow(row)).toBe('approved');
  }, 5_000);
});

describe('taking it back', () => {
  const revoke = async (person: Person, row: ApprovalRow): Promise<string> => {
    const answer = await revokeApproval(bench.ports, person, { approval: row.id, reason: 'Second thoughts' });
    return answer.ok ? answer.approval.status : answer.code;
  };
  test('a given approval is revoked by a reviewer of the group or an admin, and then never taken', async () => {
    for (const person of ['local#carl', 'local#dana']) {
      const session = await bench.openSession();
      const row = await bench.ask(session, ['approval:finance']);
      await decide(acme('local#bob'), row);
      expect(await revoke(acme(person), row)).toBe('revoked');
      expect(await revoke(acme(person), row)).toBe('revoked');
      const { answer } = await bench.ports.store.claim(await claimFor(row, session));
      expect(answer).toEqual({ claimed: false, why: 'approval' });
      expect(await outcome(acme('local#carl'), row)).toBe('approval.not_pending');
    }
  });
  test('a pending one is cancelled', async () => {
    const row = await bench.ask(await bench.openSession());
    expect(await revoke(acme('local#dana'), row)).toBe('cancelled');
    expect((await recordsOf(row)).at(-1)?.body).toMatchObject({ type: 'approval.cancelled', actor: 'local#dana', reason: 'Second thoughts' });
  });
  test('nobody else may', async () => {
    const row = await bench.ask(await bench.openSession());
    expect(await revoke(acme('local#lea'), row)).toBe('approval.not_in_group');
    expect(await revoke(acme('local#olga'), row)).toBe('approval.not_reviewer');
    for (const person of [acme('local#fred'), globex('local#jan'), acme('local#nobody')]) expect(await revoke(person, row)).toBe('approval.not_found');
    expect(await statusNow(row)).toBe('pending');
  });
  test('once its call runs there is nothing left to take back', async () => {
    const session = await bench.openSession();
    const row = await bench.ask(session, ['approval:finance']);
    await decide(acme('local#bob'), row);
    const { answer, durable } = await bench.ports.store.claim(await claimFor(row, session));
    await durable;
    expect(answer.claimed).toBe(true);
    expect(await revoke(acme('local#dana'), row)).toBe('approval.not_open');
    expect(await outcome(acme('local#bob'), row)).toBe('used');
  });
});

describe('what people see', () => {
  test('the list is what waits for me, and holds nothing of what would be sent', async () => {
    const fresh = await openBench();
    const session = await fresh.openSession();
    const rows = await Promise.all([fresh.ask(session), fresh.ask(session, ['approval:legal']), fresh.ask(session, ['confirm:sponsor'])]);
    const idsFor = async (person: Person): Promise<string[]> =>
      (await listApprovals(fresh.ports, person, { status: null, after: null, limit: 50 })).items.map(({ id }) => id);
    const [two, legal, confirm] = rows.map(({ id }) => id);
    expect(await idsFor(acme('local#bob'))).toEqual([two]);
    expect((await idsFor(acme('local#nora'))).sort()).toEqual([two, legal].sort());
    expect(await idsFor(acme('local#ana'))).toEqual([confirm]);
    for (const person of ['local#dana', 'local#olga', 'local#fred', 'https://login.acme.example#ana']) expect(await idsFor(acme(person))).toEqual([]);
    expect(await idsFor(globex('local#jan'))).toEqual([]);
    await decideApproval(fresh.ports, acme('local#bob'), { approval: two ?? '', digest: rows[0]?.digest ?? '', decision: 'approve', reason: 'As ordered' });
    expect(await idsFor(acme('local#bob'))).toEqual([]);
    expect(await idsFor(acme('local#carl'))).toEqual([two]);

    const all = await listApprovals(fresh.ports, acme('local#olga'), { status: 'pending', after: null, limit: 50 });
    expect(all.items).toHaveLength(3);
    expect(JSON.stringify(all)).not.toContain(secretArgument);
    expect(JSON.stringify(all)).not.toContain('INV-7');
    await fresh.close();
  });

  test('pages neither repeat nor lose an approval, whatever is filtered out', async () => {
    const fresh = await openBench();
    const session = await fresh.openSession();
    const mine: string[] = [];
    for (let i = 0; i < 24; i++) {
      fresh.now.at += 1000;
      const row = await fresh.ask(session, [i % 3 === 0 ? 'approval:finance' : 'approval:legal']);
      if (i % 3 === 0) mine.unshift(row.id);
    }
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page = await listApprovals(fresh.ports, acme('local#bob'), { status: null, after, limit: 3 });
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
      more = after !== null;
    }
    expect(seen).toEqual(mine);
    await fresh.close();
  });

  test.each([
    ['a reviewer of the group', acme('local#bob'), true],
    ['the sponsor', acme('local#ana'), true],
    ['an admin', acme('local#dana'), true],
    ['an auditor', acme('local#olga'), true],
    ['a reviewer of another group', acme('local#lea'), false],
    ['someone without a role', acme('local#fred'), false],
    ['a stranger', acme('local#stranger'), false],
    ['another tenant', globex('local#jan'), false],
  ])('what would be sent is shown to %s: %s', async (_, person, may) => {
    const row = await bench.ask(await bench.openSession());
    const answer = await showApproval(bench.ports, person, row.id);
    if (!may) expect(answer).toEqual(await showApproval(bench.ports, person, 'apr_AAAAAAAAAAAAAAAAAAAAAA'));
    else expect(answer).toMatchObject({ ok: true, approval: { digest: row.digest, proposal: { arguments: { iban: secretArgument, amount: 600 } } } });
  });

  test('a proposal whose stored bytes were changed is shown to nobody', async () => {
    const sealed = new Uint8Array(200).fill(1);
    const row = await bench.ask(await bench.openSession(), ['approval:finance'], { proposal: sealed });
    await expect(showApproval(bench.ports, acme('local#bob'), row.id)).rejects.toThrow();
  });
});
