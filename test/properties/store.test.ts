import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dominates, integrities, type Label, sensitivities } from '../../policies/index.ts';
import { recordsOf, verifyChain } from '../../server/audit/index.ts';
import { openSqliteStore, type Store } from '../../server/store/index.ts';
import { applyTenant, ask, body, claimRequest, hour, newSession, newVote, open, settlement, start, take } from '../contract/samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'taskgate-properties-'));
let stores: readonly [Store, Store];
beforeAll(async () => {
  const options = { path: join(folder, 'taskgate.db'), clock: () => start };
  stores = [await openSqliteStore(options), await openSqliteStore(options)];
});
afterAll(async () => {
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Every run works in a tenant of its own, on the one file. */
let tenants = 0;
async function newTenant(): Promise<string> {
  const tenant = `t${tenants++}`;
  await applyTenant(stores[0], tenant);
  return tenant;
}

describe('one approval, whatever happens around it and in whatever order', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('approve' as const), who: fc.constantFrom('ana', 'bob', 'carl', 'eve') }) },
    fc.record({ do: fc.constant('deny' as const), who: fc.constantFrom('bob', 'eve') }),
    { weight: 5, arbitrary: fc.record({ do: fc.constant('claim' as const) }) },
    fc.record({ do: fc.constantFrom('close' as const, 'end' as const, 'expire' as const, 'configure' as const) }),
  );
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  // Steps of one turn run at once, from two processes' worth of connections.
  const turns = fc.array(fc.array(fc.record({ step, on: fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1> }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 7,
  });

  it('runs at most once, only after two people approved it and nobody denied, and its record says so', async () => {
    await fc.assert(
      fc.asyncProperty(turns, async (all) => {
        const tenant = await newTenant();
        await open(stores[0], { tenant });
        const { id, digest } = await ask(stores[0], { tenant });
        let won = 0;
        const run = async (store: Store, one: Step): Promise<void> => {
          if (one.do === 'approve' || one.do === 'deny') await store.castVote(newVote(one.who, { tenant, decision: one.do }));
          else if (one.do === 'close') await store.closeApproval(tenant, id, 'revoked', start, body('approval.revoked'));
          else if (one.do === 'end') await store.endSession(tenant, 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
          else if (one.do === 'expire') await store.sweep(start + hour);
          else if (one.do === 'configure') await applyTenant(store, tenant, 1).catch(() => undefined);
          else if ((await take(store, { tenant, approval: { id, digest } })).claimed) won += 1;
        };
        for (const turn of all) await Promise.all(turn.map(({ step: one, on }) => run(stores[on], one)));

        const row = await stores[1].readApproval(tenant, id);
        const types: string[] = [];
        for await (const record of recordsOf(stores[0], tenant)) types.push(record.body.type);
        expect(won).toBeLessThanOrEqual(1);
        expect(types.filter((type) => type === 'call.dispatched')).toHaveLength(won);
        expect(row?.status === 'used').toBe(won === 1);
        if (won === 1) {
          const yes = row?.votes.filter(({ decision }) => decision === 'approve').map(({ person }) => person) ?? [];
          expect(new Set(yes).size).toBeGreaterThanOrEqual(2);
          expect(yes).not.toContain('local#ana');
          expect(row?.votes.some(({ decision }) => decision === 'deny')).toBe(false);
          expect(types.indexOf('approval.approved')).toBeLessThan(types.indexOf('call.dispatched'));
        }
        // It is settled at most once each way: decided, then used or closed.
        expect(types.filter((type) => /^approval\.(approved|denied)$/.test(type)).length).toBeLessThanOrEqual(1);
        expect(types.filter((type) => /^approval\.(denied|expired|cancelled|revoked)$/.test(type) || type === 'call.dispatched').length).toBeLessThanOrEqual(1);
        expect(await verifyChain(recordsOf(stores[1], tenant))).toMatchObject({ ok: true });
      }),
      { numRuns: 60 },
    );
  });
});

describe('labels, whatever is learned by whom', () => {
  const label: fc.Arbitrary<Label> = fc.record({
    sensitivity: fc.constantFrom(...sensitivities),
    categories: fc.uniqueArray(fc.constantFrom('finance', 'pii', 'secret')).map((all) => all.sort()),
    integrity: fc.constantFrom(...integrities),
  });
  const steps = fc.array(
    fc.oneof(
      fc.record({ learns: fc.nat({ max: 5 }), label }),
      fc.record({ opens: fc.constantFrom('forgetful', 'remembering', 'child'), agent: fc.constantFrom('matcher', 'helper') }),
      fc.record({ ends: fc.nat({ max: 5 }) }),
    ),
    { minLength: 2, maxLength: 12 },
  );

  it('never go down in any session, and their version changes exactly when they do', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const [store] = stores;
        const tenant = await newTenant();
        await open(store, { tenant, id: 's0', ceiling: 'restricted', sharedMemoryWindow: hour });
        const ids = ['s0'];
        const seen = new Map<string, { label: Label; version: number; lineage: string }>();
        for (const one of all) {
          if ('opens' in one) {
            const parent = one.opens === 'child' ? (ids.at(-1) ?? null) : null;
            const window = one.opens === 'forgetful' ? null : hour;
            const opened = await store.openSession(
              newSession({ tenant, id: `s${ids.length}`, ceiling: 'restricted', agent: one.agent, parent, sharedMemoryWindow: window }),
              start,
              body('session.opened'),
            );
            if (!('refused' in opened)) ids.push(opened.id);
          } else if ('ends' in one) {
            await store.endSession(tenant, `s${one.ends}`, { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
          } else {
            await learn(store, tenant, ids[one.learns % ids.length] ?? 's0', one.label);
          }
          for (const id of ids) {
            const view = await store.readSession(tenant, id);
            if (!view) throw new Error('a session that is gone');
            const now = { label: view.label, version: view.labelVersion, lineage: view.session.lineage };
            const before = seen.get(id);
            if (before) {
              expect(dominates(now.label, before.label)).toBe(true);
              const same = dominates(before.label, now.label);
              if (before.lineage === now.lineage && !same) expect(now.version).toBeGreaterThan(before.version);
              if (!same) expect(now.version).not.toBe(before.version);
            }
            seen.set(id, now);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  async function learn(store: Store, tenant: string, session: string, learned: Label): Promise<void> {
    const view = await store.readSession(tenant, session);
    const request = claimRequest({ tenant, session, labelVersion: view?.labelVersion ?? 0 });
    const { answer } = await store.claim(request);
    if (answer.claimed) await store.settle(settlement({ tenant, session, dispatch: request.dispatch, fence: answer.fence, label: learned }));
  }
});

describe('counters, whatever is drawn at once', () => {
  it('never give more than their limit, and refuse only what would', async () => {
    const amounts = fc.array(fc.record({ amount: fc.nat({ max: 40 }), on: fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1> }), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(amounts, fc.nat({ max: 200 }), async (all, limit) => {
        const tenant = await newTenant();
        await open(stores[0], { tenant });
        const answers = await Promise.all(
          all.map(({ amount, on }) => take(stores[on], { tenant, draws: [{ scope: 'session/ses_1', key: 'calls', amount, limit }] })),
        );
        const given = all.reduce((sum, { amount }, i) => sum + (answers[i]?.claimed ? amount : 0), 0);
        expect(given).toBeLessThanOrEqual(limit);
        expect((await stores[1].readSession(tenant, 'ses_1'))?.calls).toBe(given);
        for (const [i, { amount }] of all.entries()) if (!answers[i]?.claimed) expect(given + amount).toBeGreaterThan(limit);
      }),
      { numRuns: 40 },
    );
  });
});

describe('two tenants that use the same ids for everything', () => {
  const acts = ['open', 'ask', 'vote', 'claim', 'close', 'end', 'secret', 'suspend', 'sweep'] as const;
  const steps = fc.array(fc.constantFrom(...acts), { minLength: 1, maxLength: 14 });

  // Opening what was opened before is refused as a bug of the caller; here it is only one more thing that must not show elsewhere.
  const act = async (store: Store, tenant: string, what: (typeof acts)[number], nth: number): Promise<void> => {
    if (what === 'open') await open(store, { tenant, objective: `of ${tenant}` }).catch(() => undefined);
    else if (what === 'ask') await ask(store, { tenant }).catch(() => undefined);
    else if (what === 'vote') await store.castVote(newVote(`p${nth}`, { tenant }));
    else if (what === 'claim') await take(store, { tenant, dispatch: `dsp_${nth}`, approval: { id: 'apr_1', digest: 'p'.repeat(64) } });
    else if (what === 'close') await store.closeApproval(tenant, 'apr_1', 'revoked', start + 1, body('approval.revoked'));
    else if (what === 'end') await store.endSession(tenant, 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
    else if (what === 'secret') await store.putSecret(tenant, 'key', new TextEncoder().encode(tenant), start, body('credential.set'));
    else if (what === 'suspend') await store.setAgentStatus(tenant, 'matcher', 'suspended', body('agent.suspended'));
    else await store.sweep(start + 1);
  };
  const everythingOf = async (store: Store, tenant: string) => ({
    configuration: await store.readConfiguration(tenant),
    session: await store.readSession(tenant, 'ses_1'),
    sessions: await store.listSessions(tenant, {}, { after: null, limit: 100 }),
    approval: await store.readApproval(tenant, 'apr_1'),
    found: await store.findApproval(tenant, 'k'.repeat(64), start),
    approvals: await store.listApprovals(tenant, {}, { after: null, limit: 100 }),
    secret: await store.readSecret(tenant, 'key'),
    secrets: await store.listSecrets(tenant),
    agent: await store.readAgentStatus(tenant, 'matcher'),
    records: await store.readRecords(tenant, 0, 1000),
  });

  it('never see nor move anything of the other', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, async (mine, theirs) => {
        const [store] = stores;
        const [tenant, other] = [await newTenant(), await newTenant()];
        for (const [nth, what] of mine.entries()) await act(store, tenant, what, nth);
        const before = await everythingOf(store, tenant);
        expect(JSON.stringify(before)).not.toContain(`"${other}"`);
        for (const [nth, what] of theirs.entries()) await act(store, other, what, nth);
        expect(await everythingOf(store, tenant)).toEqual(before);
        expect(JSON.stringify(await everythingOf(store, other))).not.toContain(`"${tenant}"`);
      }),
      { numRuns: 40 },
    );
  });
});
