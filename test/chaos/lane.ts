import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { freePort } from '../../server/cli/demo/documents.ts';
import { type Clients, makeClients } from './clients.ts';
import { startIssuer } from './issuer.ts';
import { type Journal, openJournal } from './journal.ts';
import { startLetters } from './letters.ts';
import { NotRecovered } from './scenario.ts';
import type { Point } from './steps.ts';
import { openStock, type Running } from './stock.ts';
import { filesOfWidth } from './width.ts';
import { type World, writeWorld } from './world.ts';

/** One store with everything around it: its brokers, upstream, issuer, clients and journals. */
export interface Lane {
  readonly dir: string;
  readonly address: string;
  readonly world: World;
  readonly clients: Clients;
  readonly journal: Journal;
  readonly effectsFile: string;
  newCall(): string;
  newGeneration(): number;
  newWidth(): number;
  /** A broker on this store that must come up. */
  start(options?: StartOptions): Promise<Running>;
  /** A broker that is to die while it starts: false when it did not. */
  startToDie(options: StartOptions): Promise<boolean>;
  close(): Promise<void>;
}
interface StartOptions {
  readonly documents?: readonly string[];
  readonly ahead?: number;
  readonly point?: Point | null;
}

const mostStarts = 5;
/** A machine under load: the store held past its patience, the upstream slower than its probe. */
const mayStartAgain = /another process holds the store|database is locked|does not answer/;
const upstream = new URL('upstream.ts', import.meta.url);

/** Founds the tenants in the empty store at `address`, with one broker that is gone again afterwards. */
export async function openLane(dir: string, address: string, depth: number): Promise<Lane> {
  await mkdir(dir, { recursive: true });
  const stock = openStock(depth);
  const issuer = await startIssuer();
  const effectsFile = join(dir, 'effects.jsonl');
  const books: ChildProcess = fork(upstream, [effectsFile], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [{ url }] = (await once(books, 'message')) as [{ url: string }];
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const journal = openJournal(join(dir, 'journal.jsonl'));
  const letters = await startLetters(journal.note);
  const world: World = { issuer: issuer.url, upstream: url, letters: letters.place, agent: await exportJWK(publicKey) };
  const publicUrl = `http://localhost:${await freePort()}`;
  const agentKey = { ...(await exportJWK(privateKey)), alg: 'ES256' };
  const clients = makeClients({ publicUrl, issuer, agentKey, note: journal.note });
  let calls = 0;
  let generation = 0;
  let width = 0;

  const begin = ({ documents = [], ahead = 0, point = null }: StartOptions) =>
    stock.start({ publicUrl, data: join(dir, 'data'), store: address, documents, ahead, log: join(dir, 'brokers.log'), point });
  const start = async (options: StartOptions = {}, attempt = 1): Promise<Running> => {
    const started = await begin(options).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      if (attempt === mostStarts || !mayStartAgain.test(why)) throw new NotRecovered(`a broker does not start: ${why}`);
      journal.note({ what: 'start refused' });
      return null;
    });
    if (started === null) return start(options, attempt + 1);
    if ('killed' in started) throw new NotRecovered('a broker died while it started, and nobody killed it');
    return started;
  };
  journal.note({ what: 'applying', generation });
  await (await start({ documents: [await writeWorld(dir, world, generation, filesOfWidth(width))] })).close();
  journal.note({ what: 'applied', generation });

  return {
    dir,
    address,
    world,
    clients,
    journal,
    effectsFile,
    newCall: () => `call-${++calls}`,
    newGeneration: () => ++generation,
    newWidth: () => ++width,
    start,
    async startToDie(options) {
      const started = await begin(options);
      if ('killed' in started) return true;
      await started.close();
      return false;
    },
    async close() {
      stock.close();
      issuer.close();
      letters.close();
      books.kill('SIGKILL');
    },
  };
}
