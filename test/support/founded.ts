import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Fills `data` with what a broker keeps once it was founded on exactly `documents`: the first to ask in a run of the
 * tests has it founded, the others get a copy. Founding vets every policy and lists every upstream, which costs seconds.
 */
export async function copyFounded(documents: string, data: string, found: (data: string) => Promise<void>): Promise<void> {
  const folder = process.env['TASKGATE_TEST_FOUNDED'];
  const key = folder === undefined ? null : await keyOf(documents, data);
  if (folder === undefined || key === null) return;
  const kept = join(folder, key);
  if (!(await readdir(folder)).includes(key)) {
    const made = await mkdtemp(join(folder, 'making-'));
    await found(made);
    // Another may have been quicker; theirs is as good.
    await rename(made, kept).catch(() => rm(made, { recursive: true }));
  }
  await cp(kept, data, { recursive: true });
}

/** Null for documents that name places of this test alone. */
async function keyOf(documents: string, data: string): Promise<string | null> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(documents, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, 'utf8');
    if (text.includes(join(data, '..'))) return null;
    hash.update(`${path.slice(documents.length)}\0${text}\0`);
  }
  return hash.digest('hex');
}
