import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exits } from '../../connect/index.ts';
import type { Stage } from './stage.ts';
import { expect, expectEqual, type Transcript } from './transcript.ts';

/** The record of all this is whole, and a changed byte shows. */
export async function playRecord(transcript: Transcript, stage: Stage): Promise<void> {
  transcript.chapter('The record');
  await stage.as('acme', 'dana');
  const green = async (args: readonly string[]): Promise<string> => {
    const { exit, stdout, stderr } = await stage.run(args);
    expect(exit === exits.ok, `\`taskgate ${args.join(' ')}\` to end with 0`, `${exit}: ${stderr}`);
    return stdout;
  };
  await transcript.step('`taskgate audit verify` finds every log of the store whole', () => green(['audit', 'verify']));
  const file = join(stage.folder, 'acme.jsonl');
  await transcript.step(
    'an export verifies by itself, offline',
    async () => {
      const exported = await green(['audit', 'export', '--tenant', 'acme']);
      await writeFile(file, exported);
      await green(['audit', 'verify', file]);
      const records = exported.trimEnd().split('\n').length;
      expect(records > 10, 'more than ten records', records);
      return records;
    },
    (records) => `${records} records`,
  );
  await transcript.step(
    'with one byte changed in a copy it does not',
    async () => {
      const bytes = await readFile(file);
      const at = bytes.indexOf('ledger__post_payment');
      expect(at > 0, 'a record about ledger__post_payment', bytes.length);
      bytes[at] = 'L'.charCodeAt(0);
      const changed = join(stage.folder, 'changed.jsonl');
      await writeFile(changed, bytes);
      const { exit, stderr } = await stage.run(['audit', 'verify', changed]);
      expectEqual(exit, exits.check, 'exit code');
      return stderr.trim();
    },
    (words) => words,
  );
}
