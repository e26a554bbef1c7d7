import { didYouMean } from '../../policies/index.ts';
import {
  canonicalForm,
  definitionDigest,
  screenDefinition,
  sha256Hex,
  type ToolDefinition,
  type UpstreamDocument,
  UpstreamUnavailable,
} from '../../tools/index.ts';
import { readSecretValue } from '../credentials/index.ts';
import type { Ports } from '../ports.ts';
import type { Pin } from '../store/store.ts';
import { commandFor } from './configuration.ts';
import type { PlatformDocument } from './kinds.ts';
import type { NextConfiguration, NextTenant } from './merge.ts';
import { type DocumentProblem, type Located, problemAt } from './problems.ts';
import { upstreamTarget } from './upstream-target.ts';

/** What listing an upstream changed about one of its tools. */
export interface PinChange {
  readonly tenant: string;
  readonly upstream: string;
  readonly tool: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly digest: string;
}

export interface Pinned {
  readonly pins: ReadonlyMap<string, readonly Pin[]>;
  readonly changes: readonly PinChange[];
  readonly warnings: readonly string[];
  readonly problems: readonly DocumentProblem[];
}

export type PinPorts = Pick<Ports, 'store' | 'upstreams' | 'clock' | 'keys'>;
type Job = { readonly tenant: NextTenant; readonly document: Located; readonly upstream: UpstreamDocument; readonly accept: boolean };

const atOnce = 4;
const patienceMs = 20_000;

/** Lists the definitions of every new or changed upstream and pins them; the pins of the others stay as they are. */
export async function pinUpstreams(ports: PinPorts, next: NextConfiguration): Promise<Pinned> {
  const storedPlatform = next.storedPlatform?.body.kind === 'Platform' ? next.storedPlatform.body : null;
  const pins = new Map<string, Pin[]>(next.tenants.map(({ tenant }) => [tenant, []]));
  const changes: PinChange[] = [];
  const warnings: string[] = [];
  const problems: DocumentProblem[] = [];
  const jobs: Job[] = [];
  for (const tenant of next.tenants) {
    const names = new Set(tenant.byKind.upstreams.keys());
    for (const pin of tenant.stored?.pins ?? []) {
      if (!names.has(pin.upstream)) changes.push({ tenant: tenant.tenant, upstream: pin.upstream, tool: pin.tool, change: 'removed', digest: pin.digest });
    }
    for (const document of tenant.documents) {
      if (document.body.kind !== 'Upstream') continue;
      const upstream = document.body;
      const { same, sameDocument } = compareUpstream(tenant, upstream, storedPlatform, next.platform);
      if (same) pins.get(tenant.tenant)?.push(...(tenant.stored?.pins ?? []).filter((pin) => pin.upstream === upstream.name));
      else jobs.push({ tenant, document, upstream, accept: !sameDocument });
    }
  }
  const waiting = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const listed = await listDefinitions(ports, next, job);
      if ('cause' in listed) problems.push(listed);
      else {
        const settled = settle(job, listed.definitions);
        pins.get(job.tenant.tenant)?.push(...settled.pins);
        changes.push(...settled.changes);
        warnings.push(...settled.warnings);
        problems.push(...settled.problems);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const byName = (a: Pin, b: Pin): number => (`${a.upstream}/${a.tool}` < `${b.upstream}/${b.tool}` ? -1 : 1);
  return { pins: new Map([...pins].map(([tenant, all]) => [tenant, all.sort(byName)])), changes, warnings: warnings.sort(), problems };
}

/** Unchanged means: the same document, reached by the same command, with every tool pinned; or one whose change waits. */
function compareUpstream(
  tenant: NextTenant,
  upstream: UpstreamDocument,
  before: PlatformDocument | null,
  after: PlatformDocument | null,
): { same: boolean; sameDocument: boolean } {
  if (tenant.waiting.has(upstream.name)) return { same: true, sameDocument: true };
  const stored = tenant.stored?.documents.find(({ kind, name }) => kind === 'Upstream' && name === upstream.name)?.body;
  if (stored?.kind !== 'Upstream' || canonicalForm(stored) !== canonicalForm(upstream)) return { same: false, sameDocument: false };
  const sameCommand = canonicalForm(commandFor(before, tenant.tenant, upstream)) === canonicalForm(commandFor(after, tenant.tenant, upstream));
  const pinned = new Set(tenant.stored?.pins.flatMap((pin) => (pin.upstream === upstream.name ? [pin.tool] : [])));
  return { same: sameCommand && upstream.tools.every(({ name }) => pinned.has(name)), sameDocument: true };
}

async function listDefinitions(
  ports: PinPorts,
  next: NextConfiguration,
  { tenant, document, upstream }: Job,
): Promise<{ definitions: readonly ToolDefinition[] } | DocumentProblem> {
  const failed = (cause: string, remedy: string): DocumentProblem => problemAt(document, ['transport'], `Upstream ${upstream.name} ${cause}`, remedy);
  let secret: string | null = null;
  try {
    // A secret that was never set is no hindrance here: listing may not need it, and calls are refused without it.
    if (upstream.credential !== undefined) secret = (await readSecretValue(ports, tenant.tenant, upstream.credential))?.value ?? null;
  } catch {
    return failed('has a secret that cannot be opened', `Set it again: taskgate credential set ${upstream.credential}`);
  }
  const target = upstreamTarget(
    {
      upstreams: new Map([[upstream.name, { document: upstream, command: commandFor(next.platform, tenant.tenant, upstream) }]]),
      credentials: tenant.byKind.credentials,
    },
    upstream.name,
    secret,
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UpstreamUnavailable('no answer in time')), patienceMs);
  });
  const listing = list(ports, `apply/${tenant.tenant}/${upstream.name}/${sha256Hex(canonicalForm(target))}`, target);
  try {
    return { definitions: await Promise.race([listing, late]) };
  } catch (error) {
    listing.catch(() => undefined);
    if (!(error instanceof UpstreamUnavailable)) throw error;
    const how =
      upstream.transport.type === 'stdio' ? 'Run its command by hand to see what is wrong' : 'Check that it runs and that `egress` allows its host and port';
    return failed(`does not answer: ${error.message.slice(0, 200)}`, how);
  } finally {
    clearTimeout(timer);
  }
}

async function list(ports: PinPorts, key: string, target: Parameters<Ports['upstreams']['connect']>[1]): Promise<readonly ToolDefinition[]> {
  const connection = await ports.upstreams.connect(key, target);
  try {
    return await connection.definitions();
  } finally {
    await connection.close();
  }
}

/** Pins what the document names. A definition that changed under an unchanged document is drift: nobody has looked at it. */
function settle(
  { tenant, document, upstream, accept }: Job,
  definitions: readonly ToolDefinition[],
): { pins: Pin[]; changes: PinChange[]; warnings: string[]; problems: DocumentProblem[] } {
  const pins: Pin[] = [];
  const changes: PinChange[] = [];
  const warnings: string[] = [];
  const problems: DocumentProblem[] = [];
  const listed = new Map(definitions.map((definition) => [definition.name, definition]));
  const before = new Map((tenant.stored?.pins ?? []).filter((pin) => pin.upstream === upstream.name).map((pin) => [pin.tool, pin]));
  const note = (tool: string, change: PinChange['change'], digest: string): void =>
    void changes.push({ tenant: tenant.tenant, upstream: upstream.name, tool, change, digest });
  for (const [index, { name }] of upstream.tools.entries()) {
    const report = (cause: string, remedy: string): void => void problems.push(problemAt(document, ['tools', index, 'name'], cause, remedy));
    const definition = listed.get(name);
    const pinned = before.get(name);
    before.delete(name);
    if (!definition) {
      const known = [...listed.keys()];
      report(
        `Upstream ${upstream.name} does not list ${name}`,
        `Use one of ${known.slice(0, 30).join(', ') || 'the tools it lists, which are none'}.${didYouMean(name, known)}`,
      );
      continue;
    }
    const digest = digestOf(definition);
    if (digest === null) {
      report(`The definition of ${name} cannot be pinned`, 'Have the upstream corrected: its definition is not plain JSON');
      continue;
    }
    if (pinned && pinned.digest !== digest && !accept) {
      report(
        `The definition of ${name} is not the pinned one any more`,
        'Look at what changed. To take it, change the Upstream document too; else put the former version of the upstream back',
      );
      continue;
    }
    pins.push({ upstream: upstream.name, tool: name, definition, digest });
    if (pinned?.digest !== digest) {
      note(name, pinned ? 'changed' : 'added', digest);
      warnings.push(...screenDefinition(definition).map((reason) => `${tenant.tenant}: ${upstream.name}: ${name}: ${reason}`));
    }
  }
  for (const [tool, { digest }] of before) note(tool, 'removed', digest);
  return { pins, changes, warnings, problems };
}

function digestOf(definition: ToolDefinition): string | null {
  try {
    return definitionDigest(definition);
  } catch {
    return null;
  }
}
