import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordBody } from '../../server/audit/index.ts';
import { newFolder } from '../support/broker.ts';
import { type Evidence, readEvidence } from './evidence.ts';
import { type Doctoring, givenDoctorings, type Hands } from './given-doctorings.ts';
import { checkAll, invariants } from './invariants.ts';
import type { Entry } from './journal.ts';
import { type Lane, openLane } from './lane.ts';
import { settle } from './run-store.ts';
import { openStepRun } from './step-run.ts';
import type { Effect } from './upstream.ts';

let dir: string;
let file: string;
let whole: Evidence;
/** The steps the scenarios were seen to take. */
let steps: string[];

beforeAll(async () => {
  dir = await newFolder();
  file = join(dir, 'data', 'taskgate.db');
  const lane = await openLane(dir, `sqlite:${file}`, 1);
  const run = await openStepRun(lane);
  steps = [...new Set(run.targets.map(({ point }) => point.step))];
  // Of each kind of death one: nobody knows; and a call that was never dispatched.
  for (const [step, when] of [
    ['claim.durable', 'after'],
    ['openApproval', 'before'],
  ] as const) {
    const target = run.targets.find(({ scenario, point }) => scenario === 'an approved call' && point.step === step && point.when === when);
    if (target) expect(await run.die(target)).toBe(true);
  }
  await run.close();
  await leaveOpen(lane);
  await settle(lane, []);
  await lane.close();
  whole = await readEvidence(lane.address, lane.journal.entries, lane.effectsFile);
}, 300_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A change that waits, a standing approval that was given, and break-glass that was only asked for. */
async function leaveOpen({ start, clients, newWidth }: Lane): Promise<void> {
  const { url, close } = await start();
  await clients.askChange(url, newWidth());
  const standing = await clients.proposeStanding(url);
  for (const person of ['bob', 'carl'] as const) await clients.voteStanding(url, person, standing);
  await clients.askGlass(url, (await clients.open(url, 'work')).id);
  await close();
}

/** The evidence of a store that somebody changed by hand. */
async function doctored(...statements: readonly string[]): Promise<Evidence> {
  const copy = join(dir, 'doctored.db');
  await copyFile(file, copy);
  const database = new DatabaseSync(copy, { enableForeignKeyConstraints: false });
  // Whoever can write the file can also take its guards away.
  for (const { name } of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) database.exec(`DROP TRIGGER ${name}`);
  for (const statement of statements) expect(Number(database.prepare(statement).run().changes), statement).toBeGreaterThan(0);
  database.close();
  return { ...(await readEvidence(`sqlite:${copy}`, whole.journal, '')), effects: whole.effects };
}
/** The evidence with one more record, made of the last of its type that fits. */
function recorded(type: string, fits: (body: RecordBody) => boolean, more: Partial<RecordBody> = {}): Evidence {
  const log = whole.logs.get('acme') ?? [];
  const last = log.findLast(({ body }) => body.type === type && fits(body));
  if (!last) throw new Error(`no record of the kind ${type}`);
  const added = { ...last, index: log.length, body: { ...last.body, ...more } };
  return { ...whole, logs: new Map([...whole.logs, ['acme', [...log, added]]]) };
}
const hands: Hands = { doctored, recorded, noted: (entry) => noted(entry), whole: () => whole };
const brokenIn = async (evidence: Evidence): Promise<string[]> => [...new Set((await checkAll(evidence)).map(({ invariant }) => invariant))];

const first = <W extends Entry['what']>(what: W): Extract<Entry, { what: W }> => {
  const found = whole.journal.find((entry): entry is Extract<Entry, { what: W }> => entry.what === what);
  if (!found) throw new Error(`nothing of the kind ${what} happened`);
  return found;
};
const effect = (tool: string): Effect => {
  const found = whole.effects.find((one) => one.tool === tool);
  if (!found) throw new Error(`no effect of ${tool}`);
  return found;
};
const noted = (entry: Entry): Evidence => ({ ...whole, journal: [...whole.journal, entry] });
const happened = (more: Effect): Evidence => ({ ...whole, effects: [...whole.effects, more] });

describe('the checks of a chaos run', () => {
  it('find nothing in a run in which everything held, kills included', async () => {
    expect(await checkAll(whole)).toEqual([]);
    expect(whole.dispatches.filter(({ status }) => status === 'unknown').length).toBeGreaterThan(0);
    expect(whole.journal.filter(({ what }) => what === 'killed').length).toBeGreaterThanOrEqual(2);
  });

  it('are of a run that takes every step of a call, an approval, a session, an apply, and of what people give beyond one call', () => {
    const taken = [
      'openApproval',
      'castVote',
      'closeApproval',
      'claim',
      'claim.durable',
      'upstream.connect',
      'upstream.definitions',
      'upstream.call',
      'settle',
    ];
    const given = ['requestBreakGlass', 'confirmBreakGlass', 'endBreakGlass', 'reviewBreakGlass', 'proposeStanding', 'voteStanding', 'revokeStanding'];
    const others = [
      'replanChange',
      'settleChange',
      'openSession',
      'endSession',
      'append',
      'appendWhileLive',
      'useOnce',
      'applyConfiguration',
      'sweep',
      'findApproval',
      'readSession',
    ];
    expect(steps).toEqual(expect.arrayContaining([...taken, ...given, ...others]));
  });

  const used = "(SELECT id FROM approvals WHERE status = 'used' LIMIT 1)";
  const doctorings: readonly (readonly [string, string, () => Evidence | Promise<Evidence>])[] = [
    ['approvals', 'an approval is gone', () => doctored(`DELETE FROM approvals WHERE id = ${used}`)],
    ['approvals', 'another proposal stands where one was shown', () => doctored(`UPDATE approvals SET digest = 'other' WHERE id = ${used}`)],
    ['approvals', 'a vote is gone', () => doctored(`DELETE FROM votes WHERE approval = ${used} AND position = 0`)],
    ['approvals', 'a vote was turned round', () => doctored(`UPDATE votes SET decision = 'deny' WHERE approval = ${used}`)],
    [
      'approvals',
      'what was approved waits again',
      () => doctored(`UPDATE approvals SET status = 'approved', dispatch = NULL, outcome = NULL WHERE id = ${used}`),
    ],
    ['approvals', 'what was taken back is approved', () => doctored("UPDATE approvals SET status = 'approved' WHERE status = 'revoked'")],
    ['approvals', 'an approval nobody kept was named to a client', () => noted({ ...first('refused'), code: 'approval.required', approval: 'apr_gone' })],
    ['once', 'an effect came twice', () => happened(effect('note'))],
    ['once', 'a call had two effects under two dispatches', () => happened({ ...effect('pay'), dispatch: effect('note').dispatch })],
    ['dispatched', 'an effect has no dispatch', () => doctored(`DELETE FROM dispatches WHERE id = '${effect('note').dispatch}'`)],
    ['dispatched', 'an effect has a dispatch nobody recorded', () => happened({ ...effect('note'), dispatch: 'dsp_never', call: 'never' })],
    ['dispatched', 'an effect came without any dispatch id', () => happened({ ...effect('pay'), dispatch: null, call: 'never' })],
    ['released', 'a result points at another record', () => noted({ ...first('result'), record: 0 })],
    ['released', 'a result points past the end of the record', () => noted({ ...first('result'), record: 1_000_000 })],
    ['released', 'a refusal is not on the record', () => noted({ ...first('refused'), decision: 'dec_other' })],
    ['released', 'the labels fell back', () => doctored("UPDATE lineages SET sensitivity = 'public'")],
    ['unknown', 'a dispatch hangs for ever', () => doctored("UPDATE dispatches SET status = 'dispatched' WHERE status = 'unknown'")],
    ['unknown', 'an unknown outcome is called completed', () => doctored("UPDATE dispatches SET status = 'completed' WHERE status = 'unknown'")],
    ['unknown', 'an approval does not say how its call ended', () => doctored("UPDATE approvals SET outcome = NULL WHERE outcome = 'unknown'")],
    ['unknown', 'what is completed never reached the upstream', () => ({ ...whole, effects: whole.effects.filter(({ tool }) => tool !== 'look') })],
    ['counters', 'a draw was lost', () => doctored("UPDATE counters SET used = used - 1 WHERE name = 'calls' AND scope LIKE 'session/%'")],
    ['counters', 'a draw was counted twice', () => doctored("UPDATE counters SET used = used * 2 WHERE name = 'amount'")],
    ['counters', 'a counter is gone', () => doctored("DELETE FROM counters WHERE name = 'tool:books__pay'")],
    ['counters', 'a cap was passed', () => doctored('UPDATE sessions SET budget = replace(budget, \'"calls":12\', \'"calls":0\')')],
    ['ended', 'an ended session lives', () => doctored("UPDATE sessions SET status = 'active' WHERE status = 'ended'")],
    ['ended', 'an opened session is gone', () => noted({ what: 'opened', session: 'ses_acme_gone' })],
    ['ended', 'a session was told to be over and is not', () => noted({ what: 'ended', session: first('result').session })],
    [
      'configuration',
      'one policy is of another generation',
      () => doctored("UPDATE tenants SET configuration = replace(configuration, '@reason(\\\"generation', '@reason(\\\"generation 77') WHERE tenant = 'acme'"),
    ],
    ['configuration', "the operator's document is of another generation", () => doctored("UPDATE platform SET document = replace(document, '#g', '#g77')")],
    ['configuration', 'a revision was skipped', () => doctored("UPDATE tenants SET revision = revision + 1 WHERE tenant = 'globex'")],
    [
      'configuration',
      'an apply that was answered for is not there',
      () => ({ ...whole, journal: [...whole.journal, { what: 'applying', generation: 99 }, { what: 'applied', generation: 99 }] }),
    ],
    [
      'anchor',
      'a new epoch began',
      () => doctored("UPDATE records SET body = replace(body, 'session.renewed', 'store.behind_anchor') WHERE body LIKE '%session.renewed%'"),
    ],
    [
      'chains',
      'a record was changed',
      () => doctored(`UPDATE records SET body = replace(body, 'local', 'other'), hash = 'x' WHERE tenant = 'acme' AND position = 3`),
    ],
    ['chains', 'a record was cut out', () => doctored("DELETE FROM records WHERE tenant = 'acme' AND position = 3")],
    [
      'chains',
      'the last record was cut off',
      () => doctored("DELETE FROM records WHERE tenant = 'globex' AND position = (SELECT max(position) FROM records WHERE tenant = 'globex')"),
    ],
  ];
  it.each(doctorings)('%s: sees that %s', async (invariant, _, evidence) => {
    expect(await brokenIn(await evidence())).toContain(invariant);
  });

  it.each(givenDoctorings)('%s: sees that %s', async (invariant, _, evidence, says) => {
    const found = (await checkAll(await evidence(hands))).filter((one) => one.invariant === invariant);
    expect(found.map((one) => one.evidence)).toEqual(expect.arrayContaining([expect.stringMatching(says)]));
  });

  it('are each shown to see something', () => {
    const all: readonly Doctoring[0][] = [...doctorings, ...givenDoctorings].map(([invariant]) => invariant);
    expect(new Set(all)).toEqual(new Set(invariants.map(({ name }) => name)));
  });
});
