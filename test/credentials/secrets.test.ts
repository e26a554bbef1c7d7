import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readSecretValue, type SecretKey, sealSecret } from '../../server/credentials/index.ts';

type Ports = Parameters<typeof readSecretValue>[0];

const key = (id: string, retiresAt: number | null = null): SecretKey => ({ id, createdAt: 0, retiresAt, bytes: randomBytes(32) });

/** What a store holds, for anybody to put something else in its place. */
function bench(ring: readonly SecretKey[]) {
  const now = { at: 0 };
  const held = new Map<string, Uint8Array>();
  const place = (tenant: string, name: string): string => `${tenant} ${name}`;
  const store = { readSecret: async (tenant: string, name: string) => ({ sealed: Uint8Array.from(held.get(place(tenant, name)) ?? []), version: 1 }) };
  const ports = { store, keys: { escrow: ring }, clock: () => now.at } as unknown as Ports;
  return {
    now,
    put: (tenant: string, name: string, value: string) => held.set(place(tenant, name), sealSecret(ports, tenant, name, value)),
    move: (tenant: string, name: string, to: string) => held.set(place(tenant, to), held.get(place(tenant, name)) ?? new Uint8Array()),
    spoil: (tenant: string, name: string) => held.get(place(tenant, name))?.fill(0, 20),
    read: async (tenant: string, name: string) => (await readSecretValue(ports, tenant, name))?.value,
  };
}

describe('a secret that was read before', () => {
  it('is the one that is stored now', async () => {
    const { put, read } = bench([key('a')]);
    put('acme', 'ledger-key', 'first');
    expect([await read('acme', 'ledger-key'), await read('acme', 'ledger-key')]).toEqual(['first', 'first']);
    put('acme', 'ledger-key', 'second');
    put('globex', 'ledger-key', 'theirs');
    expect([await read('acme', 'ledger-key'), await read('globex', 'ledger-key')]).toEqual(['second', 'theirs']);
  });

  it('opens in no other place and not after it was changed', async () => {
    const { put, move, spoil, read } = bench([key('a')]);
    put('acme', 'ledger-key', 'x');
    await read('acme', 'ledger-key');
    move('acme', 'ledger-key', 'mail-key');
    await expect(read('acme', 'mail-key')).rejects.toThrow();
    spoil('acme', 'ledger-key');
    await expect(read('acme', 'ledger-key')).rejects.toThrow();
  });

  it('opens no more once its key is retired', async () => {
    const { now, put, read } = bench([key('a', 10)]);
    put('acme', 'ledger-key', 'x');
    expect(await read('acme', 'ledger-key')).toBe('x');
    now.at = 11;
    await expect(read('acme', 'ledger-key')).rejects.toThrow(/not in use/);
  });
});
