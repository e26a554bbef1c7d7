import type { RecordBody } from '../audit/index.ts';
import type { Keys, SecretKey } from '../credentials/index.ts';
import { type ChainHead, openDraft, type StoreState, startFirstEpoch } from '../store/index.ts';
import { BadBackup, type Header } from './format.ts';
import { type OpenedBackup, openBackup } from './read-backup.ts';
import type { Progress } from './write-backup.ts';

export interface RestoreOptions {
  readonly path: string;
  /** `sqlite:FILE` or `postgres://…`. */
  readonly address: string;
  readonly keys: Keys;
  /** Go on though the keys at hand are not those the backup was made with. */
  readonly otherKeys: boolean;
  /** Put a store that is not empty aside. */
  readonly replace: boolean;
  /** Highest epoch known outside the store; the new one is above it. */
  readonly knownEpoch: number;
  /** Who restores, for the record. */
  readonly by: string;
  readonly clock: () => number;
  readonly progress?: Progress;
}

export interface Restored {
  readonly header: Header;
  readonly sha256: string;
  readonly state: StoreState;
  /** Where the store that stood there is now; null when there was none. */
  readonly kept: string | null;
}

/** The keys at hand open not all of what the backup holds, or cannot tell whether it was changed. */
export class OtherKeys extends Error {
  override readonly name = 'OtherKeys';
}

/**
 * Restores a backup: checks all of it, then fills a store that nobody sees, cuts off whatever may have run ahead of it, and puts it in
 * its place. Rejects with `BadBackup`, `OtherKeys`, `PlaceTaken` or `StoreUnavailable`, with everything as it was.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { address, keys, replace, otherKeys, clock, progress = () => undefined } = options;
  const backup = await openBackup(options.path);
  try {
    const vouch = vouching(backup.header, keys, otherKeys);
    const sha256 = await drain(backup, vouch);
    const at = clock();
    const suffix = `before-restore-${new Date(at)
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, '')
      .toLowerCase()}`;
    const { header } = backup;
    const draft = await openDraft(address, { version: header.schema, replace, suffix });
    try {
      if ((await fill(backup, vouch, draft.insert, progress)) !== sha256) throw new BadBackup('it was changed while it was being read');
      const { store, epoch } = header;
      const next = Math.max(epoch, options.knownEpoch, draft.replacedEpoch ?? 0) + 1;
      const recordFor = (tenant: string | null): RecordBody => recordOf(header, sha256, tenant, { at, epoch: next, by: options.by });
      const { answer, kept } = await draft.finish({ store, epoch, epochAt: 0 }, () =>
        startFirstEpoch({ found: epoch, next, at, reason: 'restored', recordFor }),
      );
      return { header, sha256, state: answer, kept };
    } catch (error) {
      await draft.abandon();
      throw error;
    }
  } finally {
    await backup.close();
  }
}

/** The key that vouches for the file; null when it is not at hand and that is said to be right. */
function vouching({ keys: needed, mac_key }: Header, keys: Keys, otherKeys: boolean): SecretKey | null {
  const vouch = keys.anchor.find(({ id }) => id === mac_key) ?? null;
  if (otherKeys) return vouch;
  const missing = (['token', 'state', 'hmac', 'escrow'] as const).filter((purpose) => {
    const held = new Set(keys[purpose].map(({ id }) => id));
    return !needed[purpose].every((id) => held.has(id));
  });
  if (missing.length > 0) throw new OtherKeys(`keys the backup was made with are not at hand: ${missing.join(', ')}`);
  if (!vouch) throw new OtherKeys('the key that vouches for the backup is not at hand');
  return vouch;
}

async function drain(backup: OpenedBackup, vouch: SecretKey | null): Promise<string> {
  return fill(
    backup,
    vouch,
    async () => undefined,
    () => undefined,
  );
}

async function fill(
  backup: OpenedBackup,
  vouch: SecretKey | null,
  insert: Awaited<ReturnType<typeof openDraft>>['insert'],
  progress: Progress,
): Promise<string> {
  const rows = backup.rows(vouch);
  const counts = new Map<string, number>();
  for (let step = await rows.next(); ; step = await rows.next()) {
    if (step.done) {
      for (const [table, count] of counts) progress(table, count);
      return step.value;
    }
    await insert(step.value.table, step.value.rows);
    counts.set(step.value.table.name, (counts.get(step.value.table.name) ?? 0) + step.value.rows.length);
  }
}

function recordOf(header: Header, sha256: string, tenant: string | null, { at, epoch, by }: { at: number; epoch: number; by: string }): RecordBody {
  const head = header.heads.find((one: ChainHead) => one.tenant === tenant);
  return {
    type: 'store.restored',
    at,
    ...(tenant === null ? {} : { tenant }),
    actor: by,
    code: 'restored',
    detail: `from a backup made at ${header.made_at}`,
    epoch,
    backup_sha256: sha256,
    ...(head ? { found_head: { index: head.index, hash: head.hash } } : {}),
  };
}
