import { integrities, reaches as reachesOf, sensitivities, effects as toolEffects } from '../../policies/index.ts';
import { acceptsOf, canonicalForm, operationsOf, upstreamLists } from '../../tools/index.ts';
import { seconds } from './durations.ts';
import type { Kind } from './kinds.ts';

/** What a difference does to what anyone may do. */
export type ChangeEffect = 'narrows' | 'widens' | 'neutral';
export interface Difference {
  readonly text: string;
  readonly effect: ChangeEffect;
}
type Rule = (path: string, before: unknown, after: unknown) => readonly Difference[];
type Fields = Readonly<Record<string, Rule>>;

export const same = (a: unknown, b: unknown): boolean => a === b || (a !== undefined && b !== undefined && canonicalForm(a) === canonicalForm(b));

/** Differences field by field. INVARIANT: a field without a rule widens, so that a new field is never taken for harmless. */
export function compareFields(fields: Fields, before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>, prefix = ''): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [was, is] = [own(before, name), own(after, name)];
    if (same(was, is)) return [];
    return (Object.hasOwn(fields, name) ? fields[name] : undefined)?.(prefix + name, was, is) ?? widening(prefix + name, was, is);
  });
}

/** The strongest of several: one widening makes the whole a widening. */
export function sumOf(differences: readonly Difference[]): ChangeEffect {
  if (differences.some(({ effect }) => effect === 'widens')) return 'widens';
  return differences.some(({ effect }) => effect === 'narrows') ? 'narrows' : 'neutral';
}

const own = (record: Readonly<Record<string, unknown>>, name: string): unknown => (Object.hasOwn(record, name) ? record[name] : undefined);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

const change = (path: string, before: unknown, after: unknown, effect: ChangeEffect): Difference => ({
  text: `${path}: ${shown(before)} → ${shown(after)}`,
  effect,
});
const widening = (path: string, before: unknown, after: unknown): Difference[] => [change(path, before, after, 'widens')];
const neutral: Rule = (path, before, after) => [change(path, before, after, 'neutral')];

/** An ordered value, lowest first: going up widens, or narrows when `up` says so. Outside the order it widens. */
function ordered(order: (value: unknown) => number, up: 'widens' | 'narrows'): Rule {
  return (path, before, after) => {
    const [a, b] = [order(before), order(after)];
    const rises = b > a;
    const known = !Number.isNaN(a) && !Number.isNaN(b) && a !== b;
    return [change(path, before, after, known && rises === (up === 'narrows') ? 'narrows' : 'widens')];
  };
}

const place =
  (list: readonly string[]) =>
  (value: unknown): number =>
    typeof value === 'string' && list.includes(value) ? list.indexOf(value) : Number.NaN;
/** A cap that is not set is no cap. */
const limit = ordered((value) => (value === undefined ? Number.POSITIVE_INFINITY : typeof value === 'number' ? value : Number.NaN), 'widens');
const time = ordered((value) => (typeof value === 'string' ? seconds(value) : Number.NaN), 'widens');
const date = ordered((value) => (typeof value === 'string' ? Date.parse(value) : Number.NaN), 'widens');
/** Not set is not observed at all; every day more is a day on which policy is not enforced. */
const observation = ordered((value) => (value === undefined ? Number.NEGATIVE_INFINITY : typeof value === 'string' ? Date.parse(value) : Number.NaN), 'widens');
const sensitivity = (up: 'widens' | 'narrows'): Rule => ordered(place(sensitivities), up);
const flag = (on: 'widens' | 'narrows'): Rule => ordered((value) => (value === true ? 1 : 0), on);

/** A list taken as a set, each entry judged alone. */
function entries(added: ChangeEffect, removed: ChangeEffect): Rule {
  return (path, before, after) => {
    const [a, b] = [before, after].map((list) => new Map((Array.isArray(list) ? list : []).map((entry: unknown) => [canonicalForm(entry), entry])));
    const gone = [...(a ?? [])].filter(([key]) => !b?.has(key)).map(([, entry]): Difference => ({ text: `${path}: ${shown(entry)} removed`, effect: removed }));
    const come = [...(b ?? [])].filter(([key]) => !a?.has(key)).map(([, entry]): Difference => ({ text: `${path}: ${shown(entry)} added`, effect: added }));
    return [...gone, ...come];
  };
}

/** A map, or a list by `key`, whose entries come, go and change by rules of their own. */
function keyed(fields: Fields, added: ChangeEffect = 'widens', removed: ChangeEffect = 'narrows', key?: string): Rule {
  const read = (value: unknown): Map<string, unknown> => {
    if (key !== undefined) return new Map((Array.isArray(value) ? value : []).map((entry: unknown) => [String(isRecord(entry) ? own(entry, key) : ''), entry]));
    return new Map(isRecord(value) ? Object.entries(value) : []);
  };
  return (path, before, after) => {
    const [a, b] = [read(before), read(after)];
    return [...new Set([...a.keys(), ...b.keys()])].flatMap((name): readonly Difference[] => {
      const [was, is] = [a.get(name), b.get(name)];
      if (was === undefined) return [{ text: `${path}.${name} added`, effect: added }];
      if (is === undefined) return [{ text: `${path}.${name} removed`, effect: removed }];
      return isRecord(was) && isRecord(is) ? compareFields(fields, was, is, `${path}.${name}.`) : same(was, is) ? [] : widening(`${path}.${name}`, was, is);
    });
  };
}

function nested(fields: Fields): Rule {
  return (path, before, after) => compareFields(fields, isRecord(before) ? before : {}, isRecord(after) ? after : {}, `${path}.`);
}

const returns = nested({
  sensitivity: sensitivity('narrows'),
  categories: entries('narrows', 'widens'),
  integrity: ordered(place(integrities), 'widens'),
});

/** A manifest's fields; `accepts` is compared as it counts, its default being set by `reaches`. */
const manifest: Fields = {
  says: neutral,
  effect: ordered(place(toolEffects), 'narrows'),
  reaches: ordered(place(reachesOf), 'narrows'),
  accepts: sensitivity('widens'),
  targets: keyed({}, 'narrows', 'widens'),
  returns,
  idempotency: (at, was, is) => [change(at, was, is, is === 'none' ? 'narrows' : 'widens')],
  additional_arguments: flag('widens'),
};

/** What an upstream's document registers of some kinds, each judged by what pins call it. */
const registered =
  (list: 'tools' | 'resources' | 'prompts'): Rule =>
  (path, before, after) =>
    keyed(manifest, 'widens', 'narrows', 'key')(path, effective(list, before), effective(list, after));

function effective(list: 'tools' | 'resources' | 'prompts', manifests: unknown): object[] {
  const parsed = upstreamLists.parse({ [list]: Array.isArray(manifests) ? manifests : [] });
  return operationsOf(parsed).map(({ kind: _, name: __, place: ___, ...one }) => ({ ...one, accepts: acceptsOf(one) }));
}

const set = entries('widens', 'narrows');

const startsWith = (list: unknown, start: unknown): boolean =>
  Array.isArray(list) && (Array.isArray(start) ? start : []).every((entry: unknown, index) => same(entry, list[index]));

/** Numbers by name, 1 where none stands: a higher one widens. */
const keyedNumbers: Rule = (path, before, after) => {
  const [a, b] = [before, after].map((value) => (isRecord(value) ? value : {}));
  return [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].flatMap((name) => {
    const [was, is] = [own(a ?? {}, name) ?? 1, own(b ?? {}, name) ?? 1];
    return same(was, is) ? [] : [change(`${path}.${name}`, was, is, Number(is) < Number(was) ? 'narrows' : 'widens')];
  });
};

/** Durations by name; none is the shortest. */
const times: Rule = (path, before, after) => {
  const [a, b] = [before, after].map((value) => (isRecord(value) ? value : {}));
  const length = (value: unknown): number => (value === undefined ? 0 : typeof value === 'string' ? seconds(value) : Number.NaN);
  return [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].flatMap((name) => {
    const [was, is] = [own(a ?? {}, name), own(b ?? {}, name)];
    return same(was, is) ? [] : [change(`${path}.${name}`, was, is, length(is) <= length(was) ? 'narrows' : 'widens')];
  });
};

/** What each field of each kind does when it changes. `grants` of a use case are judged by what they expand to. */
export const fieldRules: Readonly<Record<Kind, Fields>> = {
  Platform: {
    operators: set,
    tenants: keyed({ trust: set, notifications: nested({ egress: set }), client_documents: nested({ egress: set }) }),
    commands: keyed({ allow_read: set, allow_write: set }),
  },
  Tenant: {
    domains: entries('neutral', 'widens'),
    people: keyed({ groups: set, roles: set }),
    orchestrators: keyed({}),
    clients: keyed({ name: neutral, redirects: set }),
    registration: (path, before, after) =>
      after === undefined
        ? [change(path, before, after, 'narrows')]
        : before === undefined
          ? widening(path, before, after)
          : nested({ agents: set, redirects: set })(path, before, after),
    personal: flag('widens'),
    require_proof: flag('narrows'),
    // How a client waits says nothing of what it may do.
    pause: neutral,
    approvals: nested({
      // Whoever was asked first and no longer is may now be the last who could have said no.
      stages: (path, before, after) => [change(path, before, after, startsWith(after, before) ? 'narrows' : 'widens')],
      vetoes: keyedNumbers,
      escalate_to: neutral,
      delegable: times,
      passkey_for: (path, before, after) => [change(path, before, after, after === undefined ? 'widens' : 'narrows')],
    }),
    changes: nested({ wait: time }),
    break_glass: (path, before, after) => [change(path, before, after, after === undefined ? 'narrows' : 'widens')],
    release_approval: (path, before, after) => [change(path, before, after, after === undefined ? 'narrows' : 'widens')],
  },
  Agent: {
    purpose: neutral,
    clients: set,
    clearance: sensitivity('widens'),
    memory: ordered(place(['none', 'shared']), 'narrows'),
    status: ordered(place(['suspended', 'active']), 'widens'),
    expires: date,
    review_by: date,
  },
  UseCase: {
    purpose: neutral,
    sponsors: nested({ groups: set }),
    grants: () => [],
    ceiling: sensitivity('widens'),
    lifetime: nested({ default: time, longest: time }),
    budget: nested({ calls: limit, amount: limit, per_day: nested({ calls: limit, amount: limit }) }),
    extensions: (path, before, after) => [change(path, before, after, after === undefined ? 'narrows' : 'widens')],
    max_open_sessions: limit,
    require_proof: flag('narrows'),
    observe_until: observation,
    expires: date,
    review_by: date,
  },
  Upstream: {
    egress: set,
    deadline: time,
    max_concurrent: limit,
    max_result_bytes: limit,
    tools: registered('tools'),
    resources: registered('resources'),
    prompts: registered('prompts'),
  },
  Credential: {},
  // Whom it tells is changed by widening: a message that goes elsewhere is one that somebody misses.
  Channel: { events: entries('neutral', 'widens') },
};
