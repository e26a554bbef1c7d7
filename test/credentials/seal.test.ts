import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SecretKey, seal, unseal } from '../../server/credentials/index.ts';

const key = (id: string, retiresAt: number | null = null): SecretKey => ({ id, createdAt: 0, retiresAt, bytes: randomBytes(32) });

describe('sealing', () => {
  it('opens what it sealed, in the same context', () => {
    const ring = [key('a')];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.string(), (plain, context) => {
        expect(new Uint8Array(unseal(ring, seal(ring, plain, context), context))).toEqual(plain);
      }),
    );
  });

  it('opens nothing after any one byte was changed', () => {
    const ring = [key('a')];
    const sealed = seal(ring, 'LEDGER-KEY-1', 'secret/acme/ledger-key');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => unseal(ring, changed, 'secret/acme/ledger-key'), `byte ${at}`).toThrow();
    }
  });

  it('opens nothing in another context: a secret moved to another tenant or name stays shut', () => {
    const ring = [key('a')];
    const sealed = seal(ring, 'x', 'secret/acme/ledger-key');
    for (const context of ['secret/globex/ledger-key', 'secret/acme/mail-key', 'proposal/acme/ledger-key', '']) {
      expect(() => unseal(ring, sealed, context)).toThrow();
    }
  });

  it('seals with the newest key, still opens with an older one, and with none that is retired or unknown', () => {
    const old = key('old');
    const sealed = seal([old], 'x', 'c');
    const fresh = key('new');
    expect(unseal([fresh, old], sealed, 'c').toString()).toBe('x');
    expect(() => unseal([fresh, { ...old, retiresAt: 10 }], sealed, 'c', 11)).toThrow(/not in use/);
    expect(() => unseal([fresh], sealed, 'c')).toThrow(/not in use/);
    expect(() => unseal([old], seal([fresh, old], 'x', 'c'), 'c')).toThrow(/not in use/);
  });

  it('never gives the same bytes for the same value twice', () => {
    const ring = [key('a')];
    const seen = new Set(Array.from({ length: 100 }, () => Buffer.from(seal(ring, 'x', 'c')).toString('hex')));
    expect(seen.size).toBe(100);
  });

  it.each([[new Uint8Array()], [new Uint8Array([1])], [new Uint8Array([1, 255])], [new Uint8Array(40)]])(
    'refuses bytes that are no sealed value (%#)',
    (bytes) => {
      expect(() => unseal([key('a')], bytes, 'c')).toThrow();
    },
  );
});
