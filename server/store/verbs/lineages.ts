import { bottom, join, type Label } from '../../../policies/index.ts';
import { one, type Query, run, runs, together, type Verb } from '../verb.ts';

export interface Lineage {
  readonly id: string;
  readonly label: Label;
  /** Another one whenever the label is another. */
  readonly version: number;
}

/** A row of `lineages`, its id aside. */
export interface LineageColumns {
  readonly sensitivity: Label['sensitivity'];
  readonly categories: string;
  readonly integrity: Label['integrity'];
  readonly version: number;
}

export function* readLineage(tenant: string, id: string): Verb<Lineage> {
  const found = yield* one<LineageColumns>('SELECT sensitivity, categories, integrity, version FROM lineages WHERE tenant = ? AND id = ?', tenant, id);
  if (!found) throw new Error('a session without its lineage');
  return lineageFrom(id, found);
}

const made = new WeakMap<LineageColumns, Lineage>();

/** Of one row always the same. */
export function lineageFrom(id: string, columns: LineageColumns): Lineage {
  const before = made.get(columns);
  if (before) return before;
  const { sensitivity, categories, integrity, version } = columns;
  const lineage = { id, label: { sensitivity, categories: JSON.parse(categories) as string[], integrity }, version };
  made.set(columns, lineage);
  return lineage;
}

export function* startLineage(tenant: string, id: string): Verb<string> {
  const { sensitivity, categories, integrity } = bottom;
  yield* run(
    'INSERT INTO lineages (tenant, id, sensitivity, categories, integrity, version) VALUES (?, ?, ?, ?, ?, 0)',
    tenant,
    id,
    sensitivity,
    JSON.stringify(categories),
    integrity,
  );
  return id;
}

/**
 * Joins what was learned into the label of a lineage as it was read in this transaction; never takes anything from it. The label as it
 * then is, and what writes it when that is another.
 */
export function raising(tenant: string, { id, label, version }: Lineage, learned: Label): { readonly label: Label; readonly queries: readonly Query[] } {
  const raised = join(label, learned);
  return equal(raised, label) ? { label, queries: [] } : { label: raised, queries: [writingLabel(tenant, id, raised, version + 1)] };
}

/**
 * Makes one lineage of several whose contexts have met: labels joined, every session of them pointed to the first. Its version is
 * above all they had, so whatever was judged under any of them is judged again.
 */
export function* uniteLineages(tenant: string, ids: readonly string[]): Verb<string> {
  const [first, ...others] = yield* together(...[...new Set(ids)].map((id) => readLineage(tenant, id)));
  if (!first) throw new Error('no lineage to unite');
  if (others.length === 0) return first.id;
  const label = others.reduce((joined, other) => join(joined, other.label), first.label);
  yield [writingLabel(tenant, first.id, label, Math.max(first.version, ...others.map((other) => other.version)) + 1)];
  for (const { id } of others) {
    yield* run('UPDATE sessions SET lineage = ? WHERE tenant = ? AND lineage = ?', first.id, tenant, id);
    yield* run('DELETE FROM lineages WHERE tenant = ? AND id = ?', tenant, id);
  }
  return first.id;
}

function writingLabel(tenant: string, id: string, label: Label, version: number): Query {
  return runs(
    'UPDATE lineages SET sensitivity = ?, categories = ?, integrity = ?, version = ? WHERE tenant = ? AND id = ?',
    label.sensitivity,
    JSON.stringify(label.categories),
    label.integrity,
    version,
    tenant,
    id,
  );
}

const equal = (a: Label, b: Label): boolean =>
  a.sensitivity === b.sensitivity &&
  a.integrity === b.integrity &&
  a.categories.length === b.categories.length &&
  a.categories.every((c, i) => c === b.categories[i]);
