import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { exits, Failure, usage } from '../../connect/index.ts';
import type { Keys } from '../../credentials/index.ts';
import { loadConfig } from '../config.ts';
import { fields } from '../print.ts';
import { answer, settingsOf } from '../settings.ts';

interface Options {
  readonly store?: string;
  readonly config?: string;
}

export function backupCommand(): Command {
  return new Command('backup')
    .description('Copy the whole store, as it is at one moment, into one file; brokers may go on')
    .argument('<file>', 'where to; must not exist')
    .option('--store <address>', 'sqlite:FILE or postgres://… (as serve)')
    .option('--config <file>', 'settings (./taskgate.yaml)')
    .addHelpText(
      'after',
      '\nThe keys (<data>/keys) are not in it: without them nothing sealed in it can be opened. Keep a copy of them apart from it.\n\nExamples:\n  $ npx taskgate backup ./taskgate-backup\n  $ npx taskgate backup ./taskgate-backup --store postgres://taskgate@db/taskgate\n',
    )
    .action(async (path: string, options: Options, command: Command) => {
      const settings = settingsOf(command);
      const { store: address, data } = await storeSettings(command, options);
      const [{ openSnapshot }, { writeBackup }] = await Promise.all([import('../../store/index.ts'), import('../../backup/index.ts')]);
      if ((await stat(path).catch(() => null)) !== null) throw usage(`${path} exists`, 'name a file that does not');
      const keys = await heldKeys(data);
      const snapshot = await openSnapshot(address);
      try {
        const { header, sha256, rows, bytes } = await writeBackup(snapshot, keys, path, Date.now(), tellProgress);
        process.stderr.write(`the keys in ${join(data, 'keys')} are not in it: keep a copy of them apart from it\n`);
        const told = {
          file: path,
          sha256,
          rows,
          bytes,
          made_at: header.made_at,
          schema: header.schema,
          store: header.store,
          epoch: header.epoch,
          heads: header.heads,
        };
        answer(settings, told, () =>
          fields([
            ['file', path],
            ['sha256', sha256],
            ['rows', rows],
            ['bytes', bytes],
            ['tenants', header.heads.filter(({ tenant }) => tenant !== null).length],
          ]),
        );
      } finally {
        await snapshot.close();
      }
    });
}

export const tellProgress = (table: string, rows: number): void => void process.stderr.write(`${table} ${rows}\n`);

/** Where the store and the data folder are, as `serve` would have them. */
export function storeSettings(command: Command, options: Options): Promise<{ store: string; data: string }> {
  const data = command.getOptionValueSourceWithGlobals('data') === 'default' ? undefined : settingsOf(command).data;
  return loadConfig({ file: options.config ?? null, env: process.env, flags: { data, store: options.store } });
}

/** The keys of a data folder that has some: here none are made. */
async function heldKeys(data: string): Promise<Keys> {
  const folder = join(data, 'keys');
  if ((await stat(join(folder, 'escrow.json')).catch(() => null)) === null)
    throw new Failure(`there are no keys in ${folder}`, { remedy: 'name the data folder of the brokers with --data', exit: exits.usage });
  const { openKeys } = await import('../../credentials/index.ts');
  return openKeys(folder, Date.now);
}
