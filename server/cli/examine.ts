import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { relyingParty } from '../approvals/passkeys/relying-party.ts';
import { Failure } from '../connect/index.ts';
import type { PlatformDocument } from '../documents/index.ts';
import type { Store } from '../store/index.ts';
import { type BrokerSettings, loadConfig } from './config.ts';
import { examineWaiting } from './examine-waiting.ts';
import { type Finding, finding } from './finding.ts';
import { packageFolder } from './package-file.ts';
import type { Settings } from './settings.ts';

/** Looks, changes nothing. What cannot be looked at is a finding, not an error. */
export async function examine(options: { settings: Settings; config: string | null; documents: readonly string[] | null }): Promise<Finding[]> {
  const node = finding('node', 'ok', process.versions.node);
  let config: BrokerSettings;
  try {
    config = await loadConfig({ file: options.config, env: process.env, flags: { data: options.settings.data } });
  } catch (error) {
    return [node, finding('settings', 'bad', error instanceof Error ? error.message : String(error), error instanceof Failure ? error.remedy : null)];
  }
  const configured = config.documents.length > 0 ? config.documents : [join(packageFolder, 'policies'), join(packageFolder, 'tools', 'registry')];
  const [modes, keys, store, listeners, documents] = await Promise.all([
    examineModes(config.data),
    examineKeys(config.data),
    examineStore(config.store, config.data),
    examineListeners(config),
    examineDocuments(options.documents ?? configured),
  ]);
  return [node, ...modes, keys, ...store, ...listeners, examinePasskeys(config), ...documents];
}

/** Keys, logins and the local provider's files: nobody else may read them. */
async function examineModes(data: string): Promise<Finding[]> {
  const folder = await stat(data).catch(() => null);
  if (folder === null) return [finding('data folder', 'note', `${data} does not exist yet`, '`npx taskgate serve` makes it')];
  const secret: string[] = [];
  for (const part of ['keys', 'local', 'people']) {
    const entries = await readdir(join(data, part), { recursive: true, withFileTypes: true }).catch(() => []);
    secret.push(...entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)));
  }
  const open: string[] = [];
  for (const file of [data, ...secret]) if (((await stat(file)).mode & 0o077) !== 0) open.push(file);
  return [
    open.length === 0
      ? finding('file modes', 'ok', `${data} and ${secret.length} key files are this user's alone`)
      : finding('file modes', 'bad', `others may read ${open.join(', ')}`, `chmod go= ${open.join(' ')}`),
  ];
}

/** The broker's own keys, one ring a purpose; made together, so one that is missing was lost. */
async function examineKeys(data: string): Promise<Finding> {
  const present = new Set(await readdir(join(data, 'keys')).catch(() => []));
  const missing = ['token', 'state', 'hmac', 'escrow'].filter((purpose) => !present.has(`${purpose}.json`));
  if (missing.length === 4) return finding('keys', 'note', 'none yet', '`npx taskgate serve` makes them');
  if (missing.length === 0) return finding('keys', 'ok', 'token, state, hmac and escrow keys are there');
  return finding('keys', 'bad', `missing: ${missing.join(', ')}`, 'restore them from a backup: a new key opens nothing the old one sealed');
}

async function examineStore(address: string, data: string): Promise<Finding[]> {
  const { fileOf, openStore, shownAddress } = await import('../store/index.ts');
  const [file, shown] = [fileOf(address), shownAddress(address)];
  if (file !== null && (await stat(file).catch(() => null)) === null)
    return [finding('store', 'note', `${shown} does not exist yet`, '`npx taskgate serve` makes it')];
  try {
    const store = await openStore(address, Date.now);
    try {
      await store.check();
      return [
        finding('store', 'ok', `${shown}, ${(await store.listTenants()).length} tenants`),
        await examineAnchor(store, data),
        ...(await examineObserved(store)),
        ...(await examineHeld(store)),
        ...(await examineWaiting(store)),
      ];
    } finally {
      await store.close();
    }
  } catch (error) {
    const remedy = file === null ? 'see that the server runs and the login may use the database' : 'restore it from a backup, or move it away to start anew';
    return [finding('store', 'bad', `${shown}: ${error instanceof Error ? error.message : String(error)}`, remedy)];
  }
}

/** Where policy is recorded and not enforced, one finding each. */
async function examineObserved(store: Store): Promise<Finding[]> {
  const { readObserved } = await import('../documents/index.ts');
  return (await readObserved(store, Date.now())).map(({ tenant, useCase, owner, until }) =>
    finding('observed', 'note', `${tenant} ${useCase}: policy of the tenant is not enforced until ${until}`, `${owner} takes out observe_until to end it`),
  );
}

/** Tools that are not what was registered, one finding an upstream. */
async function examineHeld(store: Store): Promise<Finding[]> {
  const { visible } = await import('../../tools/index.ts');
  const tenants = await Promise.all((await store.listTenants()).map(({ tenant }) => store.readConfiguration(tenant)));
  return tenants.flatMap((one) => {
    const held = Object.entries(Object.groupBy(one?.quarantine ?? [], ({ upstream }) => upstream));
    return held.map(([upstream, tools = []]) =>
      finding(
        ...([
          'tools',
          'note',
          `${one?.tenant} ${upstream}: not what was registered: ${tools.map(({ tool, change }) => `${visible(tool)} (${change})`).join(', ')}`,
        ] as const),
        `an admin of ${one?.tenant} looks with \`npx taskgate tool diff ${upstream}\``,
      ),
    );
  });
}

/** Is the store as it was last seen from here, and was anything ever cut off from it? */
async function examineAnchor(store: Store, data: string): Promise<Finding> {
  const [{ compareStore, readAnchor }, { openKeys }] = await Promise.all([import('../anchor/index.ts'), import('../credentials/index.ts')]);
  const state = await store.readState();
  const since =
    state.epochAt === 0 ? `epoch ${state.epoch}` : `epoch ${state.epoch} since ${new Date(state.epochAt).toISOString()}, when it was restored or found behind`;
  const present = new Set(await readdir(join(data, 'keys')).catch(() => []));
  // Opening keys makes those that are missing; looking makes none.
  const whole = ['token', 'state', 'hmac', 'escrow', 'anchor'].every((purpose) => present.has(`${purpose}.json`));
  const anchor = whole ? await readAnchor(data, (await openKeys(join(data, 'keys'), Date.now)).anchor) : null;
  if (anchor === null) return finding('anchor', 'note', `none yet; ${since}`, '`npx taskgate serve` keeps it');
  if (anchor === 'damaged') return finding('anchor', 'bad', 'no key vouches for anchor.json', 'put it or its key back, or `npx taskgate serve --accept-store`');
  const compared = await compareStore(store, anchor, state);
  if (compared.verdict === 'in_step' || compared.verdict === 'newer_epoch') return finding('anchor', state.epochAt === 0 ? 'ok' : 'note', `in step; ${since}`);
  if (compared.verdict === 'behind')
    return finding('anchor', 'bad', compared.why, 'the next start ends every session; put the newest store back if there is one');
  return finding('anchor', 'bad', compared.why, 'put the newest store back, or `npx taskgate serve --accept-store`');
}

async function examineListeners({ listen, public_url }: BrokerSettings): Promise<Finding[]> {
  const { port, hosts } = listen;
  const taken = await Promise.all(hosts.map(async (host) => ((await answers(host, port)) ? host : null)));
  if (taken.every((host) => host === null)) return [finding('listeners', 'ok', `port ${port} is free on ${hosts.join(' and ')}`)];
  const url = public_url ?? `http://localhost:${port}`;
  const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000), redirect: 'error' }).catch(() => null);
  if (ready !== null && (await ready.text()).trim() === 'ok') return [finding('listeners', 'ok', `a broker is ready at ${url}`)];
  return [finding('listeners', 'bad', `something else listens on port ${port}`, 'stop it, or choose another with `npx taskgate serve --port`')];
}

/** Whether a browser could make a passkey here, for votes that a policy wants signed. */
function examinePasskeys({ listen, public_url }: BrokerSettings): Finding {
  const url = public_url ?? `http://localhost:${listen.port}`;
  return relyingParty({ public_url: url })
    ? finding('passkeys', 'ok', `browsers can use them at ${url}`)
    : finding('passkeys', 'note', `browsers give none to ${url}`, 'set `public_url` to https://NAME, or to http://localhost:PORT on one machine');
}

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((tell) => {
    const socket = connect({ host, port, timeout: 1000 });
    const end = (open: boolean) => (): void => {
      socket.destroy();
      tell(open);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });

async function examineDocuments(paths: readonly string[]): Promise<Finding[]> {
  const { loadPaths } = await import('../documents/index.ts');
  const { documents, policies, problems } = await loadPaths(paths);
  if (problems.length > 0) {
    return problems.map((one) => finding('documents', 'bad', `${one.file}${one.line === null ? '' : `:${one.line}`}: ${one.cause}`, one.remedy));
  }
  const loaded = finding('documents', 'ok', `${documents.length} documents and ${policies.length} policy files load`);
  const platforms = documents.flatMap(({ body }) => (body.kind === 'Platform' ? [body] : []));
  return [loaded, ...platforms.map(examineCommands)];
}

function examineCommands(platform: PlatformDocument): Finding {
  const unconfined = Object.entries(platform.commands).flatMap(([name, { run }]) => (run[0] === 'node' ? [] : [name]));
  if (unconfined.length === 0) return finding('commands', 'ok', `all ${Object.keys(platform.commands).length} run under Node's permission model`);
  return finding('commands', 'note', `unconfined: ${unconfined.join(', ')}`, 'run them as Node programs, or confine them by the system');
}
