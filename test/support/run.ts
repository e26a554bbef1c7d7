import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Once a run of the tests: a folder for what its files share, gone at its end. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'taskgate-founded-'));
  process.env['TASKGATE_TEST_FOUNDED'] = folder;
  return () => rm(folder, { recursive: true, force: true });
}
