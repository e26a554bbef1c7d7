import type { Draft, DraftOptions, Snapshot } from './copy.ts';
import { fileOf } from './open-store.ts';
import { openSqliteDraft } from './sqlite/draft.ts';
import { shapeOf } from './sqlite/shape.ts';
import { openSqliteSnapshot } from './sqlite/snapshot.ts';

/** Opens the store at `sqlite:FILE` or `postgres://…` to be copied; brokers may go on. Rejects with `StoreUnavailable`. */
export async function openSnapshot(address: string): Promise<Snapshot> {
  const file = fileOf(address);
  if (file !== null) return openSqliteSnapshot(file);
  const { openPostgresSnapshot } = await import('./postgres/snapshot.ts');
  return openPostgresSnapshot(address, shapeOf);
}

/** Begins a store at an address where there is none, or where the one there may be put aside. Rejects with `PlaceTaken` or `StoreUnavailable`. */
export async function openDraft(address: string, options: DraftOptions): Promise<Draft> {
  const file = fileOf(address);
  if (file !== null) return openSqliteDraft(file, options);
  const { openPostgresDraft } = await import('./postgres/draft.ts');
  return openPostgresDraft(address, options);
}
