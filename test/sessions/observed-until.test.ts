import { describe, expect, it } from 'vitest';
import { observedUntil } from '../../server/sessions/index.ts';
import { snapshotOf } from '../identity/support.ts';

const useCase = (name: string, until?: string) => ({ name, accountable: 'dana', ...(until === undefined ? {} : { observe_until: until }) });
const snapshot = snapshotOf('acme', 1, { useCases: [useCase('enforced'), useCase('short', '2026-06-10'), useCase('long', '2026-06-20')] });
const at = Date.parse('2026-06-05T12:00:00Z');

describe('a session is observed', () => {
  it.each([
    [['short'], '2026-06-10'],
    [['long'], '2026-06-20'],
    [['enforced'], null],
    [['unknown'], null],
    [[], null],
    [['long', 'short'], '2026-06-10'],
    [['short', 'long'], '2026-06-10'],
    [['short', 'enforced'], null],
    [['enforced', 'short'], null],
    [['short', 'short', 'enforced'], null],
    [['short', 'unknown'], null],
  ])('by the use cases %j of itself and all it draws on until %s', (line, until) => {
    expect(
      observedUntil(
        snapshot,
        line.map((one) => ({ useCase: one })),
        at,
      ),
    ).toBe(until);
  });

  it('until the last millisecond of the first of their last days', () => {
    const line = [{ useCase: 'long' }, { useCase: 'short' }];
    expect(observedUntil(snapshot, line, Date.parse('2026-06-10T23:59:59.999Z'))).toBe('2026-06-10');
    expect(observedUntil(snapshot, line, Date.parse('2026-06-11T00:00:00Z'))).toBeNull();
  });
});
