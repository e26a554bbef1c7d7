import type { Effect, TargetType } from '../policies/index.ts';
import type { Definition, ToolDefinition } from './definition.ts';
import type { ToolManifest } from './manifest.ts';
import { isObject } from './schema.ts';
import { visible } from './screen.ts';

/**
 * Labels for a tool nobody has looked at. What a tool is called and what it says of itself comes from whoever wrote it, so neither lowers
 * anything: what is not known is destructive, reaches outside and answers what a stranger may have written. What it looks like is said
 * beside it, for a person to check.
 */

export interface Proposed {
  readonly manifest: Pick<ToolManifest, 'name' | 'as' | 'effect' | 'reaches' | 'accepts' | 'targets'> & {
    readonly returns: Pick<ToolManifest['returns'], 'sensitivity' | 'integrity'>;
  };
  /** Why each label is as it is, a sentence each, in words of ours. */
  readonly reasons: readonly string[];
  /** What it looks like it does; null when nothing tells. */
  readonly looks: { readonly effect: Effect; readonly because: string } | null;
  /** The first of its own words, hidden characters written out. */
  readonly words: string;
}

const verbs: readonly (readonly [Effect, readonly string[]])[] = [
  [
    'destructive',
    [
      'delete',
      'remove',
      'drop',
      'purge',
      'destroy',
      'cancel',
      'revoke',
      'pay',
      'transfer',
      'send',
      'post',
      'publish',
      'execute',
      'exec',
      'run',
      'deploy',
      'merge',
      'close',
      'overwrite',
      'kill',
      'reset',
    ],
  ],
  ['write', ['create', 'add', 'update', 'set', 'put', 'write', 'insert', 'edit', 'save', 'upload', 'move', 'rename', 'assign', 'append', 'append', 'store']],
  ['read', ['get', 'list', 'read', 'search', 'find', 'show', 'describe', 'view', 'lookup', 'count', 'check', 'query', 'fetch', 'browse']],
];

/** What is assumed of whatever nobody has looked at, and why. */
export const worstReasons = [
  'reaches, accepts: where its arguments go is not known, so only what is public may be sent',
  'returns: what it answers is not known, so it counts as confidential, and as written by a stranger',
] as const;
export const worst = { reaches: 'external', accepts: 'public', returns: { sensitivity: 'confidential', integrity: 'external' } } as const;

/** Names of arguments that decide on whom or what an effect lands, by what they usually hold. */
const kinds: readonly (readonly [TargetType, RegExp])[] = [
  ['email', /^(e_?mail|to|cc|bcc|recipients?|email_?address)$/],
  ['iban', /^iban$|_iban$/],
  ['url', /^(url|uri|href|link|endpoint|webhook|callback)$|_(url|uri)$/],
  ['amount', /^(amount|price|sum|total|value)$|_amount$/],
  ['date', /^(date|day|due)$|_(date|day|at)$/],
  ['id', /^(id|path|file|filename|account|user|username|owner|repo|repository|branch|channel|project|table|database|bucket|key|host)$|_(id|path|name)$/],
];

/** `taken` holds the names that others of the upstream have after `<upstream>__`. */
export function proposeLabels(upstream: string, definition: ToolDefinition, taken: ReadonlySet<string> = new Set()): Proposed {
  const as = fittingName(upstream, definition.name, taken);
  const targets = targetsOf(definition);
  const named = Object.entries(targets).map(([argument, type]) => `${argument} (${type})`);
  return {
    manifest: {
      name: definition.name,
      ...(as === null ? {} : { as }),
      ...{ effect: 'destructive', ...worst, targets },
    },
    reasons: [
      'effect: nobody has said what it does, so it is taken for what cannot be undone',
      ...worstReasons,
      ...(named.length > 0 ? [`targets: by their names and types these decide on whom or what it lands: ${named.join(', ')}`] : []),
      ...(as === null ? [] : ['as: its own name does not fit [A-Za-z0-9_-], or is too long, or is taken']),
    ],
    looks: looksLike(definition),
    words: wordsOf(definition),
  };
}

/** The first of what it says of itself, hidden characters written out. */
export const wordsOf = ({ description, title }: Pick<Definition, 'description' | 'title'>): string =>
  visible((description ?? title ?? '').slice(0, 400)).slice(0, 120);

function looksLike({ name, annotations = {} }: ToolDefinition): Proposed['looks'] {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  const byName = verbs.find(([, list]) => words.some((word) => list.includes(word)));
  const verb = byName && words.find((word) => byName[1].includes(word));
  const says: Effect | null =
    annotations['readOnlyHint'] === true
      ? 'read'
      : annotations['destructiveHint'] === true
        ? 'destructive'
        : annotations['destructiveHint'] === false
          ? 'write'
          : null;
  const because = [...(verb ? [`its name says "${verb}"`] : []), ...(says ? [`it says of itself: ${says}`] : [])];
  const order: readonly Effect[] = ['read', 'write', 'destructive'];
  const strongest = Math.max(byName ? order.indexOf(byName[0]) : -1, says ? order.indexOf(says) : -1);
  const effect = order[strongest];
  return effect === undefined ? null : { effect, because: because.join(', ') };
}

function targetsOf({ inputSchema }: ToolDefinition): Record<string, TargetType> {
  const properties = isObject(inputSchema['properties']) ? inputSchema['properties'] : {};
  const found: Record<string, TargetType> = {};
  for (const [argument, schema] of Object.entries(properties)) {
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(argument)) continue;
    const { type, format } = isObject(schema) ? schema : {};
    const kind = format === 'email' ? 'email' : format === 'uri' ? 'url' : kindNamed(argument);
    const fits = kind === 'amount' ? type === 'number' || type === 'integer' : type === 'string';
    if (kind !== undefined && fits) found[argument] = kind;
  }
  return found;
}

const longestName = 64;

/** What an argument of this name usually holds; undefined when nothing tells. */
export function kindNamed(argument: string): TargetType | undefined {
  const plain = argument.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return kinds.find(([, name]) => name.test(plain))?.[0];
}

/** Null when its own name will do. */
function fittingName(upstream: string, name: string, taken: ReadonlySet<string>): string | null {
  if (/^[A-Za-z0-9_-]+$/.test(name) && name.length <= longestName - upstream.length - 2 && !taken.has(name)) return null;
  return freeName(upstream, name, taken);
}

/** What is left of a name when it has to fit `as`, and to be nobody else's. */
export function freeName(upstream: string, name: string, taken: ReadonlySet<string>): string {
  const room = Math.min(42, longestName - upstream.length - 2);
  const base =
    name
      .replace(/[^A-Za-z0-9_-]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .slice(0, room) || 'tool';
  for (let next = 1; ; next++) {
    const tried = next === 1 ? base : `${base.slice(0, room - String(next).length - 1)}_${next}`;
    if (!taken.has(tried)) return tried;
  }
}
