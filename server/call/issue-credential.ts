import {
  canonicalForm,
  type Definition,
  keyOf,
  sha256Hex,
  type UpstreamConnection,
  UpstreamsBusy,
  type UpstreamTarget,
  UpstreamUnavailable,
} from '../../tools/index.ts';
import { readSecretValue } from '../credentials/index.ts';
import { connectionKey, digestOfListed, noticeDrift, upstreamTarget } from '../documents/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import type { CallIo } from './call.ts';
import type { Warrant } from './obtain-warrant.ts';
import { heldTool, type Refusal, refuse } from './refusals.ts';

declare const issued: unique symbol;

/** Evidence that the upstream is reached with the right credential and still offers the pinned definition. */
export interface Credential {
  readonly [issued]: true;
  readonly warrant: Warrant;
  readonly connection: UpstreamConnection;
  /** Known here only so that it can be taken out of what comes back. */
  readonly secret: string | null;
}

/** The credential is ready before anything is taken or counted: a refusal here costs the agent nothing. */
export async function issueCredential(
  ports: Pick<Ports, 'store' | 'tenants' | 'keys' | 'clock' | 'upstreams' | 'log'>,
  warrant: Warrant,
  io: Pick<CallIo, 'aside'>,
): Promise<Credential | Refusal> {
  const { session, tool } = warrant.judgement.tool;
  const upstream = session.tenant.upstreams.get(tool.upstream);
  if (!upstream) return refuse('upstream.unavailable', 'The system behind this tool is not registered.');
  const name = upstream.document.credential;
  let secret: string | null = null;
  if (name !== undefined) {
    try {
      secret = (await readSecretValue(ports, session.row.tenant, name))?.value ?? null;
    } catch (error) {
      ports.log.error({ err: error, tenant: session.row.tenant, credential: name }, 'a stored secret cannot be opened');
      return refuse('credential.unavailable', 'The credential for this tool cannot be had; nothing was sent.', { detail: `${name}: cannot be opened` });
    }
    if (secret === null)
      return refuse('credential.unavailable', 'The credential for this tool cannot be had; nothing was sent.', { detail: `${name}: never set` });
  }
  const principal = { shared: '', agent: session.agent.name, sponsor: session.row.sponsor }[upstream.document.principal];
  const { target, digest } = targetOf(session.tenant, tool.upstream, secret);
  const key = connectionKey(session.row.tenant, tool.upstream, principal, digest);
  try {
    const own = (all: readonly Definition[]) => all.find((definition) => keyOf(definition) === tool.manifest.key);
    const isPinned = (live: Definition | undefined): boolean => live !== undefined && digestOfListed(live) === tool.digest;
    const { connection, definitions } = await io.aside(async () => {
      const connection = await ports.upstreams.connect(key, target);
      const listed = await connection.definitions();
      // What was listed a while ago is no reason to hold a tool that was accepted since.
      return { connection, definitions: isPinned(own(listed)) ? listed : await connection.definitions(true) };
    });
    const live = own(definitions);
    if (!isPinned(live)) {
      // Refused whether or not it can be written down.
      const place = { tenant: session.row.tenant, upstream: tool.upstream, target: digest };
      await noticeDrift(ports, place, definitions).catch((error: unknown) => ports.log.error({ err: error, ...place }, 'drift could not be written down'));
      return heldTool(tool.name, live ? 'definition differs' : 'no longer offered');
    }
    return { warrant, connection, secret } as Omit<Credential, typeof issued> as Credential;
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    if (error instanceof UpstreamsBusy)
      return refuse('upstream.unavailable', 'Too many systems behind tools run for this tenant, all of them busy; nothing was sent. Try again shortly.', {
        detail: error.message,
      });
    ports.log.warn({ tenant: session.row.tenant, upstream: tool.upstream, reason: error.message }, 'an upstream cannot be reached');
    return refuse('upstream.unavailable', 'The system behind this tool does not answer; nothing was sent. Try again later.');
  }
}

interface Target {
  readonly secret: string | null;
  readonly target: UpstreamTarget;
  /** SHA-256 of its canonical form, hex. */
  readonly digest: string;
}
const targets = new WeakMap<TenantSnapshot, Map<string, Target>>();

/** How to reach an upstream under a configuration with a secret: resolved once for as long as both stand. */
function targetOf(tenant: TenantSnapshot, upstream: string, secret: string | null): Target {
  const known = targets.get(tenant) ?? new Map<string, Target>();
  targets.set(tenant, known);
  const before = known.get(upstream);
  if (before?.secret === secret) return before;
  const target = upstreamTarget(tenant, upstream, secret);
  const made = { secret, target, digest: sha256Hex(canonicalForm(target)) };
  known.set(upstream, made);
  return made;
}
