import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openSqliteStore, type Store } from '../../server/store/index.ts';
import { applyTenant, start } from '../contract/samples.ts';

/** A real file in a folder of its own, gone with the test. */
export interface FileBench {
  readonly folder: string;
  readonly path: string;
  /** With the tenants `acme` and `globex` at revision 1. */
  readonly store: Store;
  another(): Promise<Store>;
}

export async function openBench(): Promise<FileBench> {
  const folder = mkdtempSync(join(tmpdir(), 'taskgate-store-'));
  const path = join(folder, 'taskgate.db');
  const opened: Store[] = [];
  const another = async (): Promise<Store> => {
    const store = await openSqliteStore({ path, clock: () => start });
    opened.push(store);
    return store;
  };
  onTestFinished(async () => {
    for (const one of opened) await one.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const store = await another();
  await applyTenant(store, 'acme');
  await applyTenant(store, 'globex');
  return { folder, path, store, another };
}
