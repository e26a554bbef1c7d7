import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childWire } from './child.ts';
import { childEnvironment, confine } from './confine.ts';
import { type ConnectionOptions, type LiveConnection, openConnection } from './mcp-client.ts';
import type { UpstreamTarget } from './upstream.ts';
import type { UpstreamLog } from './wire.ts';

export interface StdioOptions {
  readonly log: UpstreamLog;
  readonly forbidden: readonly string[];
  readonly connectMs: number;
  readonly onListed?: ConnectionOptions['onListed'];
}

/** Starts the command in an empty folder of its own and connects to it. Rejects with `UpstreamUnavailable`. */
export async function connectStdio(target: Extract<UpstreamTarget, { type: 'stdio' }>, options: StdioOptions): Promise<LiveConnection> {
  const named = childEnvironment(target.env);
  return openConnection({
    secrets: Object.values(named),
    connectMs: options.connectMs,
    lists: target.lists ?? ['tool'],
    ...(options.onListed ? { onListed: options.onListed } : {}),
    async wire(limit) {
      const folder = await realpath(await mkdtemp(join(tmpdir(), 'taskgate-upstream-')));
      const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true }).catch(() => undefined);
      try {
        const { run, allowRead, allowWrite } = target;
        const env = Object.fromEntries(
          Object.entries(named).map(([name, value]) => [name, value.startsWith('{folder}/') ? `${folder}${value.slice('{folder}'.length)}` : value]),
        );
        const { file, args } = confine({ run, allowRead, allowWrite, folder, forbidden: options.forbidden });
        return childWire({ file, args, env, folder, limit, log: options.log, onExit: removeFolder });
      } catch (error) {
        await removeFolder();
        throw error;
      }
    },
  });
}
