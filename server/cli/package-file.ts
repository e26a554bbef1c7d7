import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder: the nearest above this file that holds package.json, from sources and from the build alike. */
export const packageFolder = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

const file: { readonly version: string } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
export const version = file.version;
export const launcher = join(packageFolder, 'server', 'cli', 'taskgate.mjs');
