import { join } from 'node:path';
import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { exits, Failure } from '../../connect/index.ts';
import { packageFolder } from '../package-file.ts';
import { write } from '../print.ts';
import { settingsOf } from '../settings.ts';
import { describeProblem } from './apply.ts';

const port = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new InvalidArgumentError('a port is a whole number from 0 (any free one) to 65535');
  return number;
};
const gather = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

interface Options {
  readonly port?: number;
  readonly documents?: string[];
  readonly store?: string;
  readonly publicUrl?: string;
  readonly logLevel?: string;
  readonly config?: string;
  readonly acceptStore?: true;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the broker; without a word more, on the sample tenants with everything under ./data')
    .option('--port <number>', 'port to listen on, 0 for a free one (7411)', port)
    .option('--documents <path>', 'documents applied at start, again for more (the samples)', gather)
    .option('--store <address>', 'sqlite:FILE (<data>/taskgate.db)')
    .option('--public-url <url>', 'the URL clients know this broker by (http://localhost:<port>)')
    .option('--log-level <level>', 'trace, debug, info, warn, error, silent')
    .option('--config <file>', 'settings (./taskgate.yaml)')
    .option('--accept-store', 'take the store though its record is not the one last seen; ends every session, and is recorded')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx taskgate serve\n  $ npx taskgate serve --port 0 --data /tmp/try --json\n  $ npx taskgate serve --documents ./policies --documents ./tools\n',
    )
    .action(async (options: Options, command: Command) => serve(options, command));
}

async function serve(options: Options, command: Command): Promise<void> {
  const settings = settingsOf(command);
  const [{ startBroker }, { loadConfig }, { banner }] = await Promise.all([import('../../start.ts'), import('../config.ts'), import('../banner.ts')]);
  // What nobody said leaves room for taskgate.yaml.
  const data = command.getOptionValueSourceWithGlobals('data') === 'default' ? undefined : settings.data;
  const config = await loadConfig({
    file: options.config ?? null,
    env: process.env,
    flags: {
      'listen.port': options.port,
      data,
      documents: options.documents,
      store: options.store,
      public_url: options.publicUrl,
      log_level: options.logLevel,
    },
  });
  // With documents of one's own the samples stay out.
  const samples = config.documents.length === 0;
  const documents = samples ? [join(packageFolder, 'policies'), join(packageFolder, 'tools', 'registry')] : config.documents;

  const leaving = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => new Promise((resolve) => process.once(signal, resolve))));
  const broker = await startBroker({ ...config, documents }, { samples, acceptStore: options.acceptStore === true }).catch(async (error: unknown) => {
    throw await explain(error);
  });
  write(
    settings.json
      ? JSON.stringify({
          url: broker.url,
          pid: process.pid,
          unconfined: broker.unconfined,
          observed: broker.observed,
          waiting: broker.waiting.map(({ tenant, id, digest }) => ({ tenant, id, digest })),
        })
      : banner({
          url: broker.url,
          data: config.data,
          samples,
          unconfined: broker.unconfined,
          observed: broker.observed,
          plan: broker.plan,
          waiting: broker.waiting,
        }),
  );
  const why = await Promise.race([broker.lost, leaving.then(() => null)]);
  await broker.close();
  if (why !== null) throw new Failure(`the store is not as it was: ${why}`, { remedy: 'start Taskgate anew; what ended since the copy was made stays ended' });
}

/** Why the broker did not start, and what to do about it. */
async function explain(error: unknown): Promise<unknown> {
  const [{ BadDocuments }, { NotAsAnchored }] = await Promise.all([import('../../prepare.ts'), import('../../anchor/index.ts')]);
  if (error instanceof NotAsAnchored) {
    return new Failure(`the store is not the one this broker knew: ${error.message}`, {
      remedy:
        'put back the newest store, or `npx taskgate restore` a backup; or take it as it is with `npx taskgate serve --accept-store`, which ends every session and is recorded',
      exit: exits.check,
      cause: error,
    });
  }
  if (error instanceof BadDocuments) {
    return new Failure(['the documents do not hold; nothing was applied:', ...error.problems.map(describeProblem)].join('\n'), { exit: exits.check });
  }
  if (!(error instanceof Error) || !('code' in error)) return error;
  const where = 'port' in error ? `port ${error.port}` : 'its port';
  if (error.code === 'EADDRINUSE') {
    return new Failure(`${where} is taken`, {
      remedy: 'a broker may be running already (`npx taskgate doctor` tells); stop it, or choose another with --port',
      cause: error,
    });
  }
  if (error.code === 'EACCES' && 'port' in error)
    return new Failure(`this user may not listen on ${where}`, { remedy: 'choose another with --port', cause: error });
  return error;
}
