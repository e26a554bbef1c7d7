import { createHash } from 'node:crypto';
import {
  addressOf,
  type Definition,
  type Proposed,
  type ProposedResource,
  proposeLabels,
  proposeResource,
  reservedEnv,
  screenDefinition,
  visible,
} from '../../../tools/index.ts';
import { reservedHeader } from '../../documents/index.ts';
import type { ServerEntry } from './read-servers.ts';

/** An upstream as it may be registered, from a server that a host uses: documents without a secret, and what a person has to do. */

interface Looked {
  /** What a person should read twice. */
  readonly warnings: readonly string[];
}
export interface Proposal {
  readonly upstream: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly credential: Readonly<Record<string, unknown>> | null;
  /** What the operator adds to `commands` of the Platform document; null for an address. */
  readonly command: { readonly name: string; readonly run: readonly string[] } | null;
  readonly tools: readonly (Proposed & Looked)[];
  readonly resources: readonly (ProposedResource & Looked)[];
  /** What is left out, with the reason. */
  readonly refused: readonly { readonly tool: string; readonly reasons: readonly string[] }[];
  /** What to do by hand, a sentence each. */
  readonly notes: readonly string[];
}

const replaceMe = 'REPLACE-ME';
const secretName = /key|token|secret|pass|pat$|credential|auth|cookie|bearer/i;

export function propose(given: string, tenant: string, server: ServerEntry, definitions: readonly Definition[]): Proposal {
  const name = upstreamNameOf(given);
  const notes: string[] = [];
  const way = server.type === 'http' ? overHttp(name, server, notes) : overStdio(name, server, notes);
  const taken = new Set<string>();
  const tools: Proposal['tools'][number][] = [];
  const resources: Proposal['resources'][number][] = [];
  const prompts: string[] = [];
  const refused: Proposal['refused'][number][] = [];
  for (const definition of definitions) {
    const findings = screenDefinition(definition, {
      others: definitions.filter((one) => one !== definition).map((one) => ({ upstream: null, name: `${name}__${one.name}`, tool: one.name })),
    });
    const against = findings.filter(({ severity }) => severity === 'refused').map(({ reason }) => reason);
    const leaveOut = (reasons: readonly string[]): void => void refused.push({ tool: visible(addressOf(definition)).slice(0, 128), reasons });
    const warnings = findings.map(({ reason }) => reason);
    if (definition.kind === undefined && definition.name.length > 128) against.push('its name is longer than 128 characters');
    if (against.length > 0) leaveOut(against);
    else if (definition.kind === 'prompt') prompts.push(visible(definition.name));
    else if (definition.kind === undefined) {
      const labels = proposeLabels(name, definition, taken);
      taken.add(labels.manifest.as ?? definition.name);
      tools.push({ ...labels, warnings });
    } else {
      const labels = proposeResource(name, definition, taken);
      if ('cause' in labels) leaveOut([labels.cause]);
      else {
        taken.add(labels.manifest.as);
        resources.push({ ...labels, warnings });
      }
    }
  }
  if (prompts.length > 0)
    notes.push(
      `It has prompts, which speak to a model as its user does: ${prompts.join(', ')}. Once somebody has read one and answers for it, it is registered under \`prompts\` with \`integrity: tenant\``,
    );
  const { credential, command, ...rest } = way;
  return {
    upstream: {
      ...{ kind: 'Upstream', tenant, name, ...rest },
      ...(credential ? { credential: credential.name } : {}),
      ...(tools.length > 0 ? { tools: tools.map(({ manifest }) => manifest) } : {}),
      ...(resources.length > 0 ? { resources: resources.map(({ manifest }) => manifest) } : {}),
    },
    credential: credential && { kind: 'Credential', tenant, ...credential, type: 'static' },
    ...{ command, tools, resources, refused, notes },
  };
}

const upstreamNameOf = (given: string): string =>
  given
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 20)
    .replace(/^-+|-+$/g, '') || `server-${createHash('sha256').update(given).digest('hex').slice(0, 6)}`;

interface Way {
  readonly transport: object;
  readonly egress?: readonly string[];
  readonly credential: { readonly name: string; readonly inject: object } | null;
  readonly command: Proposal['command'];
}

function overHttp(name: string, { url, headers }: Extract<ServerEntry, { type: 'http' }>, notes: string[]): Way {
  const shown = new URL(url.origin);
  shown.pathname = url.pathname
    .split('/')
    .map((part) => (looksSecret(part) ? replaceMe : part))
    .join('/');
  if (shown.pathname !== url.pathname)
    notes.push(`A part of the path of its address looks like a key and stands as ${replaceMe}: whoever can read the document would have it`);
  if (url.search !== '') notes.push('Its address has a query, which may hold a key, and is left out: have the key taken as a header');
  if (url.username !== '' || url.password !== '') notes.push('Its address holds a login, which is left out: have it taken as a header');
  const fit = Object.keys(headers).filter((header) => /^[A-Za-z0-9-]{1,64}$/.test(header) && !reservedHeader.test(header));
  const unfit = Object.keys(headers).filter((header) => !fit.includes(header));
  if (unfit.length > 0) notes.push(`Left out, because no upstream is sent them: ${unfit.map(visible).join(', ')}`);
  const [first, ...others] = fit.sort((a, b) => Number(secretName.test(b)) - Number(secretName.test(a)));
  const prefix = first === undefined ? '' : (/^(Bearer|Basic|Token|ApiKey) /i.exec(headers[first] ?? '')?.[0] ?? '');
  if (others.length > 0) notes.push(`An upstream takes one header; left out: ${others.map(visible).join(', ')}`);
  return {
    transport: { type: 'http', url: shown.href },
    egress: [url.host],
    credential: first === undefined ? null : credentialOf(name, { header: first, ...(prefix === '' ? {} : { prefix }) }, notes),
    command: null,
  };
}

function overStdio(name: string, { command, args, env }: Extract<ServerEntry, { type: 'stdio' }>, notes: string[]): Way {
  const run = [command, ...withoutSecrets(args)];
  if (run.some((part) => part.includes(replaceMe)))
    notes.push(`What looks like a key in its arguments stands as ${replaceMe}: give it by the environment instead`);
  const fit = Object.keys(env).filter((one) => /^[A-Z][A-Z0-9_]{0,63}$/.test(one) && !reservedEnv.test(one));
  const unfit = Object.keys(env).filter((one) => !fit.includes(one));
  if (unfit.length > 0) notes.push(`Left out, because no upstream may have them set: ${unfit.map(visible).join(', ')}`);
  const [first, ...others] = fit.sort((a, b) => Number(secretName.test(b)) - Number(secretName.test(a)));
  const isSecret = first !== undefined && secretName.test(first);
  const plain = isSecret ? others : [...(first === undefined ? [] : [first]), ...others];
  if (plain.length > 0) notes.push(`Fill in the values of ${plain.map(visible).join(', ')}: none is taken from the file, because any may be a key`);
  if (command !== 'node') notes.push(`It is not a Node program, so it runs with the rights of the broker; the operator decides about ${visible(command)}`);
  return {
    transport: { type: 'stdio', command: name, ...(plain.length === 0 ? {} : { env: Object.fromEntries(plain.map((one) => [one, replaceMe])) }) },
    credential: isSecret ? credentialOf(name, { env: first }, notes) : null,
    command: { name, run },
  };
}

function credentialOf(upstream: string, inject: object, notes: string[]): Way['credential'] {
  const name = `${upstream}-key`;
  notes.push(`Once it is applied, set its key: npx taskgate credential set ${name}`);
  return { name, inject };
}

/** Arguments after a flag that names a key, and whatever looks like one. */
function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const before = args[index - 1] ?? '';
    if (/^--?[\w-]+$/.test(before) && secretName.test(before) && !arg.startsWith('-')) return replaceMe;
    const [flag = '', value] = arg.split(/=(.*)/s, 2);
    if (value !== undefined && (secretName.test(flag) || looksSecret(value))) return `${flag}=${replaceMe}`;
    if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s]*@/i.test(arg) || /^[\w-]*(?:auth|key|token|cookie)[\w-]*\s*:/i.test(arg)) return replaceMe;
    return looksSecret(arg) ? replaceMe : arg;
  });
}

/** It holds a stretch of letters and digits mixed, as long as no word or version is. */
const looksSecret = (text: string): boolean => text.split(/[^A-Za-z0-9]+/).some((part) => part.length >= 12 && /[0-9]/.test(part) && /[A-Za-z]/.test(part));
