import process from 'node:process';
import { vi } from 'vitest';
import { run } from '../../server/cli/main.ts';
import type { Ran } from './run-cli.ts';

/** Runs `taskgate` as `runCli` does, without a process of its own; one at a time. */
export async function runHere(args: readonly string[]): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const keep = (into: string[]) => (text: string | Uint8Array) => into.push(String(text)) > 0;
  const spies = [vi.spyOn(process.stdout, 'write').mockImplementation(keep(out)), vi.spyOn(process.stderr, 'write').mockImplementation(keep(err))];
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await run(args);
    return { exit: Number(process.exitCode), stdout: out.join(''), stderr: err.join('') };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
