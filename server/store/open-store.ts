import { resolve } from 'node:path';
import { openSqliteStore } from './sqlite/open-sqlite-store.ts';
import type { Store } from './store.ts';

/** The SQLite file an address (`sqlite:FILE`) names, absolute; null for a store that is a server (`postgres://…`). */
export const fileOf = (address: string): string | null => (address.startsWith('sqlite:') ? resolve(address.slice('sqlite:'.length)) : null);

/** An address as it may be shown: never with the password a URL can hold. */
export function shownAddress(address: string): string {
  const file = fileOf(address);
  if (file !== null) return file;
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname}`;
}

/** Opens the store at `sqlite:FILE` or `postgres://…`. Rejects with `StoreUnavailable` when it is not there. */
export async function openStore(address: string, clock: () => number): Promise<Store> {
  const path = fileOf(address);
  if (path !== null) return openSqliteStore({ path, clock });
  // Not held in memory beside a file.
  const { openPostgresStore } = await import('./postgres/open-postgres-store.ts');
  return openPostgresStore({ url: address, clock });
}
