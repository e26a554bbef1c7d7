import { canonicalForm, definitionDigest, sha256Hex, type UpstreamConnection, UpstreamUnavailable } from '../../tools/index.ts';
import { readSecretValue } from '../credentials/index.ts';
import { upstreamTarget } from '../documents/index.ts';
import type { Ports } from '../ports.ts';
import type { Warrant } from './obtain-warrant.ts';
import { type Refusal, refuse } from './refusals.ts';

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
export async function issueCredential(ports: Pick<Ports, 'store' | 'keys' | 'clock' | 'upstreams' | 'log'>, warrant: Warrant): Promise<Credential | Refusal> {
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
  const target = upstreamTarget(session.tenant, tool.upstream, secret);
  const principal = { shared: '', agent: session.agent.name, sponsor: session.row.sponsor }[upstream.document.principal];
  const key = `${session.row.tenant}/${tool.upstream}/${principal}/${sha256Hex(canonicalForm(target))}`;
  try {
    const connection = await ports.upstreams.connect(key, target);
    const live = (await connection.definitions()).find((definition) => definition.name === tool.manifest.name);
    if (!live || definitionDigest(live) !== tool.digest) {
      return refuse('tool.changed', 'This tool is not what was registered any more; an admin has to look at it first.', {
        detail: live ? 'definition differs' : 'no longer offered',
      });
    }
    return { warrant, connection, secret } as Omit<Credential, typeof issued> as Credential;
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    ports.log.warn({ tenant: session.row.tenant, upstream: tool.upstream, reason: error.message }, 'an upstream cannot be reached');
    return refuse('upstream.unavailable', 'The system behind this tool does not answer; nothing was sent. Try again later.');
  }
}
