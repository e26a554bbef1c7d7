import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRefusal } from '../../server/call/refusals.ts';
import { endSession, type OpenRequest, openSession } from '../../server/sessions/index.ts';
import type { SessionRow } from '../../server/store/index.ts';
import { grantOf, startTestBroker, type TestBroker, type TestTenant } from '../identity/support.ts';

const agents = ['invoice-matcher', 'other'].map((name) => ({ name, identity: `spiffe://acme.example/agent/${name}` }));
const useCase = {
  accountable: 'dana',
  inputs: { invoice: { type: 'string' } },
  grants: [
    grantOf('mail__search'),
    grantOf('ledger__post_payment', { arguments: { amount: { maximum: 500 } }, origins: { iban: ['objective', 'trusted'] }, maxCalls: 3 }),
  ],
};
const documents: TestTenant = { agents, useCases: [useCase, { ...useCase, name: 'second' }] };

let broker: TestBroker;
beforeEach(async () => {
  broker = await startTestBroker({
    acme: documents,
    globex: { ...documents, agents: agents.map(({ name }) => ({ name, identity: `spiffe://globex.example/agent/${name}` })) },
  });
});
afterEach(() => broker.close());

const request = (more: Partial<OpenRequest> = {}): OpenRequest => ({
  agent: 'invoice-matcher',
  useCase: 'match-invoices',
  inputs: { invoice: 'INV-7' },
  ...more,
});
async function open(more: Partial<OpenRequest> = {}, tenant = 'acme'): Promise<SessionRow> {
  const answer = await openSession(broker.ports, broker.snapshot(tenant), request(more));
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}
async function whyRefused(more: Partial<OpenRequest>, tenant = 'acme'): Promise<string> {
  const answer = await openSession(broker.ports, broker.snapshot(tenant), request(more));
  if (!isRefusal(answer)) throw new Error('it was opened');
  return answer.message;
}

describe('a child session', () => {
  it('takes from its parent whatever it does not say, and answers to the same person', async () => {
    const parent = await open({ objective: 'Pay INV-7', attestedBy: 'orchestrator', requester: 'orchestrator:scheduler' });
    const child = await open({ parent: parent.id, inputs: {}, tools: ['mail__search'] });
    expect(child).toMatchObject({
      parent: parent.id,
      root: parent.id,
      sponsor: parent.sponsor,
      objective: 'Pay INV-7',
      inputs: parent.inputs,
      attestedBy: 'orchestrator',
      mode: 'autonomous',
    });
    expect(child.grants.map(({ tool }) => tool)).toEqual(['mail__search']);
    expect(child.expiresAt).toBeLessThanOrEqual(parent.expiresAt);
  });

  it('with an objective of its own is attested no better than both', async () => {
    const parent = await open({ objective: 'Pay INV-7', attestedBy: 'orchestrator' });
    expect(await open({ parent: parent.id, objective: 'Pay twice' })).toMatchObject({ attestedBy: 'agent' });
    const weak = await open({ objective: 'Pay INV-7' });
    expect(await open({ parent: weak.id, objective: 'Other', attestedBy: 'orchestrator' })).toMatchObject({ attestedBy: 'agent' });
  });

  it('ends with its parent, however much time it asks for', async () => {
    const parent = await open({ lifetime: 60 });
    expect((await open({ parent: parent.id, lifetime: 3_600 })).expiresAt).toBe(parent.expiresAt);
  });

  it('has no tool, input or sponsor its parent does not have', async () => {
    const parent = await open({ tools: ['mail__search'] });
    expect(await whyRefused({ parent: parent.id, tools: ['ledger__post_payment'] })).toBe("The tool 'ledger__post_payment' is not granted to this task.");
    expect(await whyRefused({ parent: parent.id, inputs: { invoice: 'INV-8' } })).toBe('A child task has the inputs of its parent.');
    expect((await open({ parent: parent.id })).grants).toHaveLength(1);
  });

  it('keeps the constraints of its parent when the use case has loosened since', async () => {
    const parent = await open();
    const looser = grantOf('ledger__post_payment', {
      arguments: { amount: { maximum: 9_000 } },
      origins: { iban: ['objective', 'external'], amount: ['unknown'] },
      maxCalls: 9,
    });
    await broker.change('acme', {
      agents,
      useCases: [{ ...useCase, grants: [grantOf('mail__search', { digest: 'another' }), looser, grantOf('mail__send')] }],
    });
    const child = await open({ parent: parent.id });
    expect(child.grants).toEqual([
      {
        tool: 'ledger__post_payment',
        digest: 'digest-of-ledger__post_payment',
        arguments: {
          amount: {
            allOf: [
              { maximum: 9_000, type: 'number' },
              { maximum: 500, type: 'number' },
            ],
          },
        },
        origins: { iban: ['objective'] },
        maxCalls: 3,
      },
    ]);
  });

  it('is refused alike for a parent that never was, has ended, expired, or is another agent’s or tenant’s', async () => {
    const gone = 'There is no such parent task.';
    const parent = await open({ lifetime: 60 });
    const ended = await open();
    await endSession(broker.ports, 'acme', ended.id, { status: 'revoked', reason: 'test' }, 'local#dana');
    const foreign = await open({}, 'globex');
    expect(await whyRefused({ parent: `ses_acme_${'A'.repeat(22)}` })).toBe(gone);
    expect(await whyRefused({ parent: 'nonsense' })).toBe(gone);
    expect(await whyRefused({ parent: ended.id })).toBe(gone);
    expect(await whyRefused({ parent: foreign.id })).toBe(gone);
    expect(await whyRefused({ parent: parent.id, agent: 'other' })).toBe(gone);
    broker.advance(61_000);
    expect(await whyRefused({ parent: parent.id })).toBe(gone);
  });

  it('is of the use case of its parent, and at most three deep below the root', async () => {
    let parent = await open();
    expect(await whyRefused({ parent: parent.id, useCase: 'second' })).toBe('A child task is of the use case of its parent.');
    for (let depth = 0; depth < 3; depth++) parent = await open({ parent: parent.id });
    expect(await whyRefused({ parent: parent.id })).toBe('Tasks nest at most 4 deep.');
  });

  it('ends when its parent ends, and cannot be opened below an ended grandparent', async () => {
    const root = await open();
    const child = await open({ parent: root.id });
    const grandchild = await open({ parent: child.id });
    expect(await endSession(broker.ports, 'acme', root.id, { status: 'ended', reason: 'done' }, 'invoice-matcher')).toBe(true);
    expect((await broker.ports.store.readSession('acme', grandchild.id))?.session.status).toBe('ended');
    expect(await whyRefused({ parent: grandchild.id })).toBe('There is no such parent task.');
    expect(await endSession(broker.ports, 'acme', root.id, { status: 'ended', reason: 'again' }, 'invoice-matcher')).toBe(false);
  });

  it('is refused once whoever answers for the parent may not any more', async () => {
    const parent = await open();
    await broker.change('acme', { ...documents, tenant: { people: { ana: { subject: 'local#ana' } } } });
    expect(await whyRefused({ parent: parent.id })).toBe('Whoever answers for the parent task may not any more.');
  });
});
