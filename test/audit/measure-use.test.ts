import { describe, expect, it } from 'vitest';
import { chainRecord, genesis, measureUse, type RecordBody, type StoredRecord } from '../../server/audit/index.ts';

const day = Date.parse('2026-06-01T12:00:00Z');
async function* stored(bodies: readonly Partial<RecordBody>[]): AsyncGenerator<StoredRecord> {
  for (const [index, body] of bodies.entries()) yield chainRecord(genesis, index, 'acme', { type: 'call.dispatched', at: day, use_case: 'match', ...body });
}
const opened = (session: string, parent?: string): Partial<RecordBody> => ({ type: 'session.opened', session, ...(parent ? { parent } : {}) });
const called = (session: string, tool: string, more: Partial<RecordBody> = {}): Partial<RecordBody> => ({ session, tool, policies: ['acme/may'], ...more });
const measured = (bodies: readonly Partial<RecordBody>[], since = 0) => measureUse(stored(bodies), 'match', since);

describe('how a use case was used', () => {
  it('is counted by tool, by session with all below it, and by day', async () => {
    const use = await measured([
      opened('a'),
      called('a', 'x'),
      called('a', 'x'),
      opened('b', 'a'),
      called('b', 'x'),
      called('b', 'y'),
      { type: 'session.ended', session: 'a' },
      opened('c'),
      called('c', 'x', { at: day + 86_400_000 }),
    ]);
    expect(use).toMatchObject({ sessions: 3, calls: 5, mostPerSession: 4, mostPerDay: 4, incomplete: false });
    expect([...use.tools].map(([name, tool]) => [name, tool.calls, tool.mostPerSession])).toEqual([
      ['x', 4, 3],
      ['y', 1, 1],
    ]);
    expect(use.tools.get('x')?.permittedBy).toEqual(new Map([['acme/may', 4]]));
  });

  it('is nothing of other use cases, of before, or of calls that only replayed', async () => {
    const use = await measured(
      [called('a', 'x', { at: day - 1 }), called('b', 'x', { use_case: 'other' }), called('a', 'x', { type: 'call.replayed' }), called('a', 'y')],
      day,
    );
    expect([...use.tools.keys()]).toEqual(['y']);
    expect(use.calls).toBe(1);
  });

  it('tells what would have been and what was refused apart, the most first', async () => {
    const would = { decision: 'require' as const, policies: ['acme/asks'], requirements: ['approval:finance'], reasons: ['r'] };
    const use = await measured([
      called('a', 'x', { would }),
      called('a', 'x', { would }),
      called('a', 'y', { would: { decision: 'deny', policies: [], requirements: [], reasons: [] } }),
      called('a', 'x', { type: 'call.refused', code: 'policy.forbidden', policies: ['acme/no'] }),
      called('a', 'anything the caller wrote', { type: 'call.refused', code: 'tool.not_granted' }),
    ]);
    expect(use.would.map(({ tool, how, calls }) => [tool, how, calls])).toEqual([
      ['x', 'require', 2],
      ['y', 'deny', 1],
    ]);
    expect(use.refused.map(({ tool, how, policies }) => [tool, how, policies])).toEqual([['x', 'policy.forbidden', ['acme/no']]]);
    expect(use.tools.get('x')?.permittedBy.size).toBe(0);
  });

  it('says so when more sessions were open at once than are kept', async () => {
    const many = Array.from({ length: 5_001 }, (_, index) => called(`s${index}`, 'x'));
    const use = await measured(many);
    expect(use).toMatchObject({ calls: 5_001, mostPerSession: 1, incomplete: true });
  });
});
