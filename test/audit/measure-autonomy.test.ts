import { expect, it } from 'vitest';
import { measureAutonomy, type RecordBody } from '../../server/audit/index.ts';

const call = (more: Partial<RecordBody>): RecordBody => ({ type: 'call.dispatched', at: 10, tool: 'mail__send', effect: 'write', ...more });
const by = (...sources: string[]) => ({ satisfied: sources.map((source) => ({ literal: 'approval:finance', source, persons: [] })) });

async function measure(bodies: readonly RecordBody[]) {
  async function* records() {
    for (const [index, body] of bodies.entries()) yield { tenant: 'acme', index, prev: '', hash: '', body };
  }
  return measureAutonomy(records(), 5, (tool) => tool === 'mail__search');
}

it('counts effects, not reads, by what let them run; people weigh more than what was given before', async () => {
  const measured = await measure([
    call({}),
    call({ effect: 'destructive' }),
    call({ effect: 'read' }),
    call(by('standing')),
    call(by('remembered')),
    call(by('standing', 'votes')),
    call({ ...by('break_glass'), break_glass: 'bgl_1' }),
    call({ at: 4 }),
    { type: 'call.dispatched', at: 10, tool: 'mail__search' },
    { type: 'call.dispatched', at: 10, tool: 'mail__send' },
    { type: 'session.opened', at: 10 },
    { type: 'session.opened', at: 10 },
    { type: 'approval.requested', at: 10 },
  ]);
  expect(measured).toEqual({
    effects: { alone: 3, standing: 1, remembered: 1, votes: 1, break_glass: 1 },
    autonomy: 5 / 7,
    tasks: 2,
    approvals: 1,
    approvals_per_task: 0.5,
  });
});

it('says nothing of what did not happen', async () => {
  expect(await measure([])).toMatchObject({ autonomy: null, approvals_per_task: null });
});
