import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { exits, Failure } from '../../connect/index.ts';
import { packageFolder } from '../package-file.ts';
import { answer, settingsOf } from '../settings.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('Write what is generated from the code: docs/schema/taskgate.v1.json, the JSON Schema of all documents for editors, and docs/refusals.md')
    .option('--check', 'only say whether the files are current')
    .action(async (options: { check?: true }, command: Command) => {
      const generated = await generate();
      for (const [file, text] of generated) {
        if (options.check !== true) {
          await mkdir(dirname(file), { recursive: true });
          await writeFile(file, text);
        } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
          throw new Failure(`${file} is not current`, { remedy: 'run `npx taskgate schema` and commit what it wrote', exit: exits.check });
        }
      }
      answer(settingsOf(command), { files: generated.map(([file]) => file), current: true }, () => '');
    });
}

async function generate(): Promise<readonly (readonly [file: string, text: string])[]> {
  const [{ documentsJsonSchema }, { refusalsPage }] = await Promise.all([import('../../documents/index.ts'), import('../refusals-page.ts')]);
  return [
    [join(packageFolder, 'docs', 'schema', 'taskgate.v1.json'), `${JSON.stringify(documentsJsonSchema(), null, 2)}\n`],
    [join(packageFolder, 'docs', 'refusals.md'), refusalsPage()],
  ];
}
