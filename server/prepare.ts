import { randomBytes } from 'node:crypto';
import { startBackground } from '../tools/index.ts';
import { readSecretValue, setSecret } from './credentials/index.ts';
import { applyDocuments, type DocumentProblem, type Loaded, loadPaths, type Plan, type PlatformDocument } from './documents/index.ts';
import { ensureLocal, localProviderRuns, localTenant } from './identity/index.ts';
import type { Ports } from './ports.ts';
import type { ChangeRow } from './store/store.ts';

/** The documents a broker was started with do not hold; nothing was applied. */
export class BadDocuments extends Error {
  override readonly name = 'BadDocuments';
  readonly problems: readonly DocumentProblem[];
  constructor(problems: readonly DocumentProblem[]) {
    super(
      problems
        .map(({ file, line, path, cause, remedy }) => `${file}${line === null ? '' : `:${line}`}${path === '' ? '' : ` ${path}`}: ${cause}. ${remedy}`)
        .join('\n'),
    );
    this.problems = problems;
  }
}

export interface Prepared {
  /** Null when nothing changed. */
  readonly plan: Plan | null;
  /** What of the documents waits for a second admin. */
  readonly waiting: readonly ChangeRow[];
  readonly unconfined: readonly string[];
  close(): Promise<void>;
}

/** Before the doors open: local identities, the operator's background commands, and the documents, applied. */
export async function prepare(ports: Ports, options: { samples: boolean; forbidden: readonly string[] }): Promise<Prepared> {
  const loaded = await loadPaths(ports.config.documents);
  if (loaded.problems.length > 0) throw new BadDocuments(loaded.problems);
  const platform = await platformOf(ports, loaded);
  if (localProviderRuns(ports.config)) await ensureLocal(ports.config.data, localTenants(platform, loaded));
  const running = await startCommands(ports, platform, options.forbidden);
  const close = async (): Promise<void> => void (await Promise.all(running.map((one) => one.close())));
  try {
    if (options.samples) await inventSampleSecrets(ports, loaded);
    const answer = await applyDocuments(ports, loaded, {
      ...{ by: 'operator', applier: { at: 'start' }, reason: null, prune: false, dryRun: false, platform: 'allowed' },
    });
    if (!answer.ok) throw new BadDocuments(answer.problems);
    for (const { tenant, id, digest } of answer.waiting) ports.log.warn({ tenant, change: id, digest }, 'what widens waits for an admin of the tenant');
    return { plan: answer.applied ? answer.plan : null, waiting: answer.waiting, unconfined: unconfined(platform), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function platformOf(ports: Ports, loaded: Loaded): Promise<PlatformDocument | null> {
  const document = loaded.documents.find(({ kind }) => kind === 'Platform') ?? (await ports.store.readPlatform());
  return document?.body.kind === 'Platform' ? document.body : null;
}

function localTenants(platform: PlatformDocument | null, loaded: Loaded) {
  return Object.entries(platform?.tenants ?? {}).flatMap(([tenant, { trust }]) => {
    const agents = loaded.documents.flatMap(({ body }) => (body.kind === 'Agent' && body.tenant === tenant ? [body] : []));
    return localTenant({ tenant, trust, agents }) ?? [];
  });
}

async function startCommands(ports: Ports, platform: PlatformDocument | null, forbidden: readonly string[]) {
  const commands = Object.entries(platform?.commands ?? {}).filter(([, { background }]) => background);
  return Promise.all(
    commands.map(([name, { run, allow_read, allow_write, listens }]) =>
      startBackground({ name, run, allowRead: allow_read, allowWrite: allow_write, listens: listens ?? null }, { log: ports.log, forbidden }),
    ),
  );
}

/** The sample upstreams want a key to have been set; any will do, so each installation gets its own. */
async function inventSampleSecrets(ports: Ports, loaded: Loaded): Promise<void> {
  for (const { body } of loaded.documents) {
    if (body.kind !== 'Credential' || 'channel' in body.inject || (await readSecretValue(ports, body.tenant, body.name)) !== null) continue;
    await setSecret(ports, body.tenant, body.name, randomBytes(24).toString('base64url'), 'taskgate', { founding: true });
  }
}

const unconfined = (platform: PlatformDocument | null): string[] =>
  Object.entries(platform?.commands ?? {})
    .filter(([, { run }]) => run[0] !== 'node')
    .map(([name]) => name);
