import { didYouMean } from '../../policies/index.ts';
import { addressOf, canonicalForm, type Definition, keyOf, kindOf, operationsOf, screenDefinition, type UpstreamDocument } from '../../tools/index.ts';
import type { Pin } from '../store/store.ts';
import { commandFor } from './configuration.ts';
import { definitionLines } from './definition-difference.ts';
import { digestOfListed, newsOf } from './drift.ts';
import type { PlatformDocument } from './kinds.ts';
import { type ListPorts, listUpstream } from './list-upstream.ts';
import type { NextConfiguration, NextTenant } from './merge.ts';
import { othersOf } from './others.ts';
import { type DocumentProblem, type Located, problemAt } from './problems.ts';

/** What listing an upstream changed about one of its tools. */
export interface PinChange {
  readonly tenant: string;
  readonly upstream: string;
  readonly tool: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly digest: string;
  /** What is different about its definition, a line each. */
  readonly differences: readonly string[];
}

export interface Pinned {
  /** By tenant and upstream, what else it offers that would be told of if it were new. */
  readonly offered: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;
  readonly pins: ReadonlyMap<string, readonly Pin[]>;
  readonly changes: readonly PinChange[];
  readonly warnings: readonly string[];
  readonly problems: readonly DocumentProblem[];
}

export type PinPorts = ListPorts;
interface Job {
  readonly tenant: NextTenant;
  readonly document: Located;
  readonly upstream: UpstreamDocument;
  /** Definitions that are taken although they are not the pinned ones: all, none, or of these tools the one of this digest. */
  readonly accept: 'all' | 'none' | ReadonlyMap<string, string>;
}

const atOnce = 4;

/** Lists the definitions of every new or changed upstream and pins them; the pins of the others stay as they are. */
export async function pinUpstreams(ports: PinPorts, next: NextConfiguration): Promise<Pinned> {
  const storedPlatform = next.storedPlatform?.body.kind === 'Platform' ? next.storedPlatform.body : null;
  const pins = new Map<string, Pin[]>(next.tenants.map(({ tenant }) => [tenant, []]));
  const changes: PinChange[] = [];
  const warnings: string[] = [];
  const problems: DocumentProblem[] = [];
  const jobs: Job[] = [];
  const offered = new Map<string, Record<string, readonly string[]>>();
  for (const tenant of next.tenants) {
    const names = new Set(tenant.byKind.upstreams.keys());
    offered.set(tenant.tenant, Object.fromEntries(Object.entries(tenant.stored?.offered ?? {}).filter(([upstream]) => names.has(upstream))));
    for (const pin of tenant.stored?.pins ?? []) {
      if (!names.has(pin.upstream))
        changes.push({ tenant: tenant.tenant, upstream: pin.upstream, tool: pin.tool, change: 'removed', digest: pin.digest, differences: [] });
    }
    for (const document of tenant.documents) {
      if (document.body.kind !== 'Upstream') continue;
      const upstream = document.body;
      if (tenant.accepting?.upstream === upstream.name) {
        jobs.push({ tenant, document, upstream, accept: tenant.accepting.tools });
        continue;
      }
      const { same, sameDocument } = compareUpstream(tenant, upstream, storedPlatform, next.platform);
      if (same) pins.get(tenant.tenant)?.push(...(tenant.stored?.pins ?? []).filter((pin) => pin.upstream === upstream.name));
      else jobs.push({ tenant, document, upstream, accept: sameDocument ? 'none' : 'all' });
    }
  }
  const waiting = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const { tenant, upstream } = job;
      const listed = await listUpstream(ports, { ...tenant.byKind, tenant: tenant.tenant }, commandFor(next.platform, tenant.tenant, upstream), upstream);
      if ('cause' in listed) problems.push(problemAt(job.document, ['transport'], `Upstream ${upstream.name} ${listed.cause}`, listed.remedy));
      else {
        const settled = settle(job, listed.definitions);
        pins.get(job.tenant.tenant)?.push(...settled.pins);
        changes.push(...settled.changes);
        warnings.push(...settled.warnings);
        problems.push(...settled.problems);
        // Accepting one tool says nothing of others that are new.
        const own = offered.get(tenant.tenant);
        if (own && typeof job.accept === 'string') own[upstream.name] = newsOf(listed.definitions).map(keyOf);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const byName = (a: Pin, b: Pin): number => (`${a.upstream}/${a.tool}` < `${b.upstream}/${b.tool}` ? -1 : 1);
  return { pins: new Map([...pins].map(([tenant, all]) => [tenant, all.sort(byName)])), offered, changes, warnings: warnings.sort(), problems };
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
  return { same: sameCommand && operationsOf(upstream).every(({ key }) => pinned.has(key)), sameDocument: true };
}

/** Pins what the document names. A definition that changed under an unchanged document is drift: nobody has looked at it. */
function settle(
  { tenant, document, upstream, accept }: Job,
  definitions: readonly Definition[],
): { pins: Pin[]; changes: PinChange[]; warnings: string[]; problems: DocumentProblem[] } {
  const pins: Pin[] = [];
  const changes: PinChange[] = [];
  const warnings: string[] = [];
  const problems: DocumentProblem[] = [];
  const listed = new Map(definitions.map((definition) => [keyOf(definition), definition]));
  const before = new Map((tenant.stored?.pins ?? []).filter((pin) => pin.upstream === upstream.name).map((pin) => [pin.tool, pin]));
  const note = (tool: string, change: PinChange['change'], digest: string, differences: readonly string[] = []): void =>
    void changes.push({ tenant: tenant.tenant, upstream: upstream.name, tool, change, digest, differences });
  for (const manifest of operationsOf(upstream)) {
    const { key: name } = manifest;
    const report = (cause: string, remedy: string): void => void problems.push(problemAt(document, manifest.place, cause, remedy));
    const definition = listed.get(name);
    const pinned = before.get(name);
    before.delete(name);
    const named = typeof accept === 'string' ? null : accept.get(name);
    if (named === undefined) {
      if (pinned) pins.push(pinned);
      continue;
    }
    if (!definition) {
      const known = definitions.filter((one) => kindOf(one) === manifest.kind).map(addressOf);
      report(
        `Upstream ${upstream.name} does not list ${manifest.name}`,
        `Use one of ${known.slice(0, 30).join(', ') || `the ${manifest.kind}s it lists, which are none`}.${didYouMean(manifest.name, known)}`,
      );
      continue;
    }
    const digest = digestOfListed(definition);
    if (named !== null && digest !== named) {
      report(`The definition of ${name} is not the one that was accepted`, 'It has changed since: look at `npx taskgate tool diff` again');
      continue;
    }
    if (digest === null) {
      report(`The definition of ${name} cannot be pinned`, 'Have the upstream corrected: its definition is not plain JSON');
      continue;
    }
    if (pinned && pinned.digest !== digest && accept === 'none') {
      report(
        `The definition of ${name} is not the pinned one any more`,
        'Look at what changed with `npx taskgate tool diff` and take it with `npx taskgate tool accept`; else put the former version of the upstream back',
      );
      continue;
    }
    pins.push({ upstream: upstream.name, tool: name, definition, digest });
    if (pinned?.digest === digest && named !== null) note(name, 'changed', digest, ['as it was pinned again; no longer held']);
    if (pinned?.digest !== digest) {
      const findings = screenDefinition(definition, { manifest, others: othersOf(tenant.byKind.upstreams.values(), upstream.name, name) });
      for (const { severity, reason } of findings) {
        if (severity === 'warning') warnings.push(`${tenant.tenant}: ${upstream.name}: ${name}: ${reason}`);
        else report(`The definition of ${name} is not taken: ${reason}`, 'Have the upstream corrected, or take the tool out of the document');
      }
      // Whoever approves it reads them too.
      const pointed = findings.map(({ reason }) => `! ${reason}`);
      note(name, pinned ? 'changed' : 'added', digest, [...(pinned ? definitionLines(pinned.definition, definition) : []), ...pointed]);
    }
  }
  for (const [tool, { digest }] of before) note(tool, 'removed', digest);
  return { pins, changes, warnings, problems };
}
