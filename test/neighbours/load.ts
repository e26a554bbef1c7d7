import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** One load: requests at a bounded rate over some connections, each of which waits for its answer before it sends again. */
export interface Load {
  readonly port: number;
  /** Whole requests, taken in turn; each `########` becomes a number. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Loaded {
  /** Milliseconds from when a request was due to its answer, of answers with status 200. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** How many answers had which status, with the refusal's code where there is one; `closed` and `silent` are connections lost and answers not there at the end. */
  readonly answers: Readonly<Record<string, number>>;
}

/** A process that makes loads; a niced one leaves the processors to whoever is measured. */
export function startLoader(nice: number): { run(load: Load): Promise<Loaded>; stop(): void } {
  const child: ChildProcess = fork(join(import.meta.dirname, 'processes/loader.ts'), [String(nice)]);
  return {
    async run(load) {
      child.send(load);
      const [said] = (await once(child, 'message')) as [Loaded | { failed: string }];
      if ('failed' in said) throw new Error(said.failed);
      return said;
    },
    stop: () => void child.kill('SIGKILL'),
  };
}
