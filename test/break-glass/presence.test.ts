import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standingOf } from '../../server/approvals/index.ts';
import { confirmPasskey, enrolPasskey, offerEnrolment } from '../../server/approvals/passkeys/index.ts';
import { type BreakGlassRequest, challengeStep, confirmBreakGlass, confirming, requestBreakGlass, requesting } from '../../server/break-glass/index.ts';
import type { Ports } from '../../server/ports.ts';
import { type Authenticator, createAuthenticator } from '../support/authenticator.ts';
import { modernClient, payment } from '../support/broker.ts';
import { type Emergency, startEmergency } from './fixture.ts';

const day = 86_400_000;
let at: Emergency;
const keys: Record<string, Authenticator> = {};
beforeAll(async () => {
  at = await startEmergency({ holdMs: 20_000 });
  for (const name of ['bob', 'carl', 'ana']) keys[name] = await keyFor(name);
});
afterAll(() => at.end());

const asker = async (name: string, ago = 3_600_000) => {
  const snapshot = await at.broker.ports.tenants.current('acme');
  if (!snapshot) throw new Error('no tenant');
  const person = { tenant: 'acme', id: `local#${name}`, name, loggedInAt: Date.now() - ago };
  return { person, snapshot, standing: standingOf(snapshot, person) };
};
/** Enrolled and vouched for a day ago. */
async function keyFor(name: string): Promise<Authenticator> {
  const { ports, url } = at.broker;
  const before: Ports = { ...ports, clock: () => Date.now() - day - 1_000 };
  const key = createAuthenticator(url);
  const owner = await asker(name, day + 2_000);
  const offer = await offerEnrolment(before, owner);
  if (!offer.ok) throw new Error(offer.code);
  const made = await enrolPasskey(before, owner, { name: 'yellow key', credential: key.make(offer.options) as never });
  if (!made.ok) throw new Error(made.code);
  const confirmed = await confirmPasskey(before, { ...(await asker('dana', day + 2_000)) }, made.passkey.id);
  if (!confirmed.ok) throw new Error(confirmed.code);
  return key;
}
const asked = (session: string, more: Partial<BreakGlassRequest> = {}): BreakGlassRequest => ({
  ...{ session, tools: ['ledger__post_payment'], incident: 'INC-1', reason: 'Salaries are due tonight', lifetime: 60_000, calls: 2, amount: 50_000_000 },
  ...more,
});
async function sign(name: string, step: Parameters<typeof challengeStep>[2], by = name) {
  const answer = await challengeStep(at.broker.ports, await asker(name), step);
  if (!answer.ok) throw new Error(answer.code);
  return keys[by]?.sign(answer.options);
}
const request = async (name: string, what: BreakGlassRequest, given?: unknown, ago?: number) =>
  requestBreakGlass(at.broker.ports, await asker(name, ago), what, given as never);
const codeOf = (answer: { ok: boolean; code?: string }): string => (answer.ok ? 'done' : String(answer.code));

describe('who opens the emergency door shows that they are there', () => {
  it('by a passkey over exactly this step, in place of a fresh login, for both steps; it stands in the record', async () => {
    const { session } = await at.broker.open({});
    const what = asked(session);
    expect(codeOf(await request('bob', what))).toBe('break_glass.login_not_fresh');
    const opened = await request('bob', what, await sign('bob', requesting(what)));
    if (!opened.ok) throw new Error(opened.code);
    const { row } = opened;
    const confirm = async (given?: unknown) => confirmBreakGlass(at.broker.ports, await asker('carl'), row.id, given as never);
    expect(codeOf(await confirm())).toBe('break_glass.login_not_fresh');
    expect(codeOf(await confirm(await sign('carl', confirming({ ...row, terms: { ...row.terms, calls: 1 } }))))).toBe('break_glass.passkey_refused');
    expect(codeOf(await confirm(await sign('carl', confirming(row))))).toBe('done');
    const records = (await at.broker.ports.store.readRecords('acme', 0, 2_000)).map(({ body }) => body).filter(({ break_glass }) => break_glass === row.id);
    expect(records.map(({ type, passkey }) => [type, typeof passkey?.id])).toEqual([
      ['break_glass.requested', 'string'],
      ['break_glass.activated', 'string'],
    ]);
  });

  it('and not by one over another step, of somebody else, used before, or beside a login that would have done', async () => {
    const { session } = await at.broker.open({});
    const what = asked(session);
    const refused = async (given: unknown, ago?: number) => codeOf(await request('bob', what, given, ago));
    const used = await sign('bob', requesting(asked(session, { amount: 60_000_000 })));
    expect(await refused(used)).toBe('break_glass.passkey_refused');
    expect(await refused(used)).toBe('break_glass.passkey_refused');
    expect(await refused(await sign('carl', requesting(what)))).toBe('break_glass.passkey_refused');
    expect(await refused(await sign('bob', requesting(what), 'carl'))).toBe('break_glass.passkey_refused');
    expect(await refused(await sign('bob', requesting(what), 'carl'), 1_000)).toBe('break_glass.passkey_refused');
    expect(codeOf(await challengeStep(at.broker.ports, await asker('fay'), requesting(what)))).toBe('break_glass.not_in_group');
    expect(codeOf(await challengeStep(at.broker.ports, await asker('eve'), requesting(what)))).toBe('break_glass.no_passkey');
    // A key that is there does not make somebody of the chain another person.
    expect(codeOf(await request('ana', what, await sign('ana', requesting(what))))).toBe('break_glass.involved');
    const good = await sign('bob', requesting(what));
    expect(await refused(good)).toBe('done');
    expect(await refused(good)).toBe('break_glass.passkey_refused');
  });

  it('a browser’s form carries it: the challenge is made for what the form says', async () => {
    const { session } = await at.broker.open({});
    const token = await at.broker.person('acme', 'bob');
    const body = { session, tools: ['ledger__post_payment'], incident: 'INC-2', reason: 'Salaries are due tonight', amount: 5 };
    const { body: given } = await at.broker.v1(token, 'POST', '/break-glass/challenge', body);
    const assertion = keys['bob']?.sign((given as { options: { challenge: string } }).options);
    expect(await at.broker.v1(token, 'POST', '/break-glass', { ...body, amount: 6, assertion })).toMatchObject({
      body: { code: 'break_glass.passkey_refused' },
    });
    const again = await at.broker.v1(token, 'POST', '/break-glass/challenge', body);
    const signed = keys['bob']?.sign((again.body as { options: { challenge: string } }).options);
    expect(await at.broker.v1(token, 'POST', '/break-glass', { ...body, assertion: signed })).toMatchObject({ status: 201 });
  });
});

it('a call that people are already asked about goes on as soon as break-glass opens it', { timeout: 30_000 }, async () => {
  const task = await at.broker.open({});
  const client = await modernClient(task);
  const answer = client.callTool(payment(800), { timeout: 25_000 });
  await expect
    .poll(async () => (await at.broker.ports.store.listApprovals('acme', { status: 'pending', session: task.session }, { after: null, limit: 1 })).length)
    .toBe(1);
  const begun = Date.now();
  await at.activate(task.session);
  expect((await answer).isError ?? false).toBe(false);
  // Not when it next happens to look.
  expect(Date.now() - begun).toBeLessThan(4_500);
  await client.close();
});
