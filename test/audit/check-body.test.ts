import { describe, expect, it } from 'vitest';
import { chainRecord, checkBody, genesis, hmacOf, type RecordBody } from '../../server/audit/index.ts';

const plain: RecordBody = { type: 'call.refused', at: 1 };
const key = (id: string, byte: number) => ({ id, createdAt: 0, retiresAt: null, bytes: new Uint8Array(32).fill(byte) });

describe('what a record may say', () => {
  it('is what is on the list, unchanged', () => {
    const full: RecordBody = {
      ...plain,
      satisfied: [{ literal: 'approval:finance', source: 'votes', persons: ['local#bob'] }],
      label: { sensitivity: 'internal', categories: ['pii'], integrity: 'external' },
      changes: [{ change: 'added', kind: 'Agent', name: 'matcher', effect: 'widens', sha256: 'a' }],
      founding: true,
    };
    expect(checkBody(full)).toEqual(full);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown field', { ...plain, arguments: { iban: 'DE02' } }, /^not allowed in a record: arguments$/],
    ['an unknown field further in', { ...plain, label: { sensitivity: 'internal', categories: [], integrity: 'external', value: 'x' } }, /record: value/],
    ['a value where text belongs', { ...plain, detail: { iban: 'DE02' } }, /record: detail$/],
    ['an unknown type', { ...plain, type: 'call.imagined' }, /record: type$/],
    ['a time that is no whole number', { ...plain, at: 1.5 }, /record: at$/],
  ])('is not %s; the refusal names the place and never the value', (_, record, message) => {
    expect(() => checkBody(record as RecordBody)).toThrow(message);
    try {
      checkBody(record as RecordBody);
    } catch (error) {
      expect(String(error)).not.toContain('DE02');
    }
  });

  it('leaves out what is absent and mends what has no canonical form, so that the record is never lost', () => {
    const mended = checkBody({ ...plain, tool: 'x\ud800', ...({ code: undefined } as object) });
    expect(mended).toEqual({ ...plain, tool: 'x\ufffd' });
    expect(() => chainRecord(genesis, 0, null, mended)).not.toThrow();
  });

  it('cuts text that would flood it, without splitting a character', () => {
    const { detail = '' } = checkBody({ ...plain, detail: `${'x'.repeat(1999)}😀${'y'.repeat(100_000)}` });
    expect(detail.length).toBeLessThan(2010);
    expect(detail.isWellFormed()).toBe(true);
  });
});

describe('a keyed HMAC of a value', () => {
  it('names its key and is the same for equal values, whatever the order of their members', () => {
    expect(hmacOf([key('k1', 1)], { b: 1, a: 2 })).toBe(hmacOf([key('k1', 1)], { a: 2, b: 1 }));
    expect(hmacOf([key('k1', 1)], 'x')).toMatch(/^k1:[0-9a-f]{64}$/);
    expect(hmacOf([key('k2', 2), key('k1', 1)], 'x')).toMatch(/^k2:/);
  });

  it('differs with the key, the value and its type', () => {
    const all = [hmacOf([key('k', 1)], 1), hmacOf([key('k', 2)], 1), hmacOf([key('k', 1)], '1'), hmacOf([key('k', 1)], null), hmacOf([key('k', 1)], [1])];
    expect(new Set(all).size).toBe(all.length);
  });

  it('is made of a value without a canonical form too', () => {
    expect(hmacOf([key('k', 1)], { text: '\ud800', gone: undefined })).toMatch(/^k:[0-9a-f]{64}$/);
    expect(hmacOf([key('k', 1)], undefined)).toMatch(/^k:[0-9a-f]{64}$/);
  });

  it('is not made without a key', () => {
    expect(() => hmacOf([], 'x')).toThrow(/no key/);
  });
});
