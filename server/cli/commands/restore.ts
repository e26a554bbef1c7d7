import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { exits, Failure } from '../../connect/index.ts';
import { fields } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';
import { storeSettings, tellProgress } from './backup.ts';

interface Options {
  readonly store?: string;
  readonly config?: string;
  readonly replace?: true;
  readonly otherKeys?: true;
}

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Put a backup in the place of the store, checked as a whole first; every session ends, every open approval is cancelled')
    .argument('<file>', 'what `backup` wrote, from either kind of store')
    .option('--store <address>', 'sqlite:FILE or postgres://… (as serve)')
    .option('--replace', 'put a store that is not empty aside, under another name')
    .option('--other-keys', 'go on though the keys at hand are not those it was made with')
    .option('--config <file>', 'settings (./taskgate.yaml)')
    .addHelpText(
      'after',
      '\nStop every broker first, and put the keys of the backup into <data>/keys.\n\nExamples:\n  $ npx taskgate restore ./taskgate-backup --replace\n  $ npx taskgate restore ./taskgate-backup --store postgres://taskgate@db/taskgate\n',
    )
    .action(async (path: string, options: Options, command: Command) => {
      const settings = settingsOf(command);
      const { store: address, data } = await storeSettings(command, options);
      const [{ restoreBackup }, { readAnchor, writeAnchor }, { openKeys }] = await Promise.all([
        import('../../backup/index.ts'),
        import('../../anchor/index.ts'),
        import('../../credentials/index.ts'),
      ]);
      const folder = join(data, 'keys');
      if (options.otherKeys !== true && (await stat(join(folder, 'escrow.json')).catch(() => null)) === null)
        throw new Failure(`there are no keys in ${folder}`, { remedy: 'put those of the backup there first, or name their data folder with --data' });
      const keys = await openKeys(folder, Date.now);
      const anchor = await readAnchor(data, keys.anchor);
      const restored = await restoreBackup({
        path,
        address,
        keys,
        otherKeys: options.otherKeys === true,
        replace: options.replace === true,
        knownEpoch: anchor === null || anchor === 'damaged' ? 0 : anchor.epoch,
        by: operator(),
        clock: Date.now,
        progress: tellProgress,
      }).catch(async (error: unknown) => {
        throw await explain(error, path);
      });
      await writeAnchor(data, keys.anchor, restored.state);
      const { header, sha256, state, kept } = restored;
      answer(settings, { store: state.store, epoch: state.epoch, made_at: header.made_at, sha256, heads: state.heads, kept }, () =>
        fields([
          ['restored', `a backup made at ${header.made_at}`],
          ['sha256', sha256],
          ['epoch', state.epoch],
          ['kept', kept],
        ]),
      );
    });
}

/** Who runs this, as the system knows them. */
function operator(): string {
  try {
    return `operator:${userInfo().username}`;
  } catch {
    // A user without a name, as in many containers.
    return `operator:${process.getuid?.() ?? 'unknown'}`;
  }
}

async function explain(error: unknown, path: string): Promise<unknown> {
  const [{ BadBackup, OtherKeys }, { PlaceTaken }] = await Promise.all([import('../../backup/index.ts'), import('../../store/index.ts')]);
  if (error instanceof BadBackup) return new Failure(`${path} cannot be restored: ${error.message}; nothing was changed`, { exit: exits.check, cause: error });
  if (error instanceof OtherKeys) {
    return new Failure(`${error.message}; nothing was changed`, {
      remedy:
        'put the keys it was made with into <data>/keys; or go on with --other-keys: what is sealed under the others stays shut, and nobody vouches for the file',
      exit: exits.check,
      cause: error,
    });
  }
  if (error instanceof PlaceTaken) return new Failure(`${error.message}; nothing was changed`, { remedy: error.remedy, cause: error });
  return error;
}
