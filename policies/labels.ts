import { type Integrity, integrities, type Label, type Sensitivity, sensitivities } from './vocabulary.ts';

/** Where a lineage starts: nothing read yet. */
export const bottom: Label = { sensitivity: 'public', categories: [], integrity: 'trusted' };

export const rank = (sensitivity: Sensitivity): number => sensitivities.indexOf(sensitivity);
export const trust = (integrity: Integrity): number => integrities.indexOf(integrity);

/** The least label that covers both: sensitivity up, categories united, integrity down. */
export function join(a: Label, b: Label): Label {
  return {
    sensitivity: rank(a.sensitivity) >= rank(b.sensitivity) ? a.sensitivity : b.sensitivity,
    categories: [...new Set([...a.categories, ...b.categories])].sort(),
    integrity: trust(a.integrity) <= trust(b.integrity) ? a.integrity : b.integrity,
  };
}

/** True when `a` covers everything `b` says: at least as sensitive, all its categories, no more trusted. */
export function dominates(a: Label, b: Label): boolean {
  return (
    rank(a.sensitivity) >= rank(b.sensitivity) && trust(a.integrity) <= trust(b.integrity) && b.categories.every((category) => a.categories.includes(category))
  );
}
