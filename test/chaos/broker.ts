import { createWriteStream } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { config } from '../../server/config.ts';
import { createLog } from '../../server/observe/log.ts';
import { startBroker } from '../../server/start.ts';
import '../../tools/upstream/mcp-http.ts';
import { type Point, watchSteps } from './steps.ts';

/**
 * A broker to be killed, in a process of its own: the product's `startBroker`, its edges watched. It has loaded everything before it
 * is told what to be, so that a stock of them can wait.
 */

export interface Orders {
  readonly port: number;
  readonly publicUrl: string;
  readonly data: string;
  readonly store: string;
  readonly documents: readonly string[];
  /** Milliseconds its clock is ahead. */
  readonly ahead: number;
  readonly log: string;
  /** Armed before it starts. */
  readonly point: Point | null;
}
export type Told = { readonly start: Orders } | { readonly arm: Point | null } | { readonly taken: true } | { readonly sweep: true } | { readonly close: true };

const steps = watchSteps(() => process.kill(process.pid, 'SIGKILL'));
let broker: Awaited<ReturnType<typeof startBroker>> | null = null;

async function follow(told: Told): Promise<unknown> {
  if ('start' in told) {
    const { port, publicUrl, data, store, documents, ahead, log, point } = told.start;
    steps.arm(point);
    const settings = config.parse({ listen: { port, hosts: ['127.0.0.1'] }, data, store, documents, public_url: publicUrl, hold_ms: 2_000 });
    const lines = createWriteStream(log, { flags: 'a' });
    broker = await startBroker(
      { ...settings, public_url: publicUrl },
      { clock: () => Date.now() + ahead, log: createLog('warn', lines), around: (edges) => steps.around(edges) },
    );
    return { ready: true };
  }
  if ('arm' in told) {
    steps.arm(told.arm);
    return { armed: true };
  }
  if ('taken' in told) return steps.taken();
  if ('sweep' in told) return broker?.ports.store.sweep(broker.ports.clock());
  await broker?.close();
  return process.exit();
}

/** Whoever asked may be gone by now. */
const say = (message: object): void => void process.send?.(message, undefined, undefined, () => undefined);

process.on('message', (told: Told) => {
  follow(told).then(
    (answer) => say({ answer }),
    (error: unknown) => say({ failed: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
// What is killed writes no cache when it ends.
flushCompileCache();
say({ answer: 'warm' });
