import { chainRecord, genesis, type RecordBody } from '../audit/index.ts';
import type { ChainHead, Row } from '../store/index.ts';
import { BadBackup } from './format.ts';

const nameOf = (tenant: string): string => (tenant === '' ? 'the platform log' : `the record of ${tenant}`);

/** Walks every chain of a backup as its rows come, against the heads its header names. Throws `BadBackup` at the first that is not whole. */
export function checkChains(heads: readonly ChainHead[]) {
  const expected = new Map(heads.map(({ tenant, index, hash }) => [tenant ?? '', { next: index + 1, hash }]));
  const walked = new Map<string, { next: number; hash: string }>();

  return {
    see(row: Readonly<Record<string, Row[number]>>): void {
      const tenant = String(row['tenant']);
      const { next, hash: prev } = walked.get(tenant) ?? { next: 0, hash: genesis };
      if (row['position'] !== next || row['prev'] !== prev || hashOf(prev, next, tenant, row['body']) !== row['hash'])
        throw new BadBackup(`${nameOf(tenant)} is broken at record ${next}`);
      walked.set(tenant, { next: next + 1, hash: String(row['hash']) });
    },
    /** `stored`: the heads as the table of heads has them. */
    end(stored: ReadonlyMap<string, { next: number; hash: string }>): void {
      for (const tenant of new Set([...expected.keys(), ...walked.keys(), ...stored.keys()])) {
        const [one, two, three] = [expected, walked, stored].map((ends) => ends.get(tenant));
        if (!one || one.next !== two?.next || one.hash !== two.hash || one.next !== three?.next || one.hash !== three.hash)
          throw new BadBackup(`${nameOf(tenant)} does not end where the backup says it ended`);
      }
    },
  };
}

function hashOf(prev: string, index: number, tenant: string, body: unknown): string | null {
  try {
    return chainRecord(prev, index, tenant === '' ? null : tenant, JSON.parse(String(body)) as RecordBody).hash;
  } catch {
    // No canonical form: no broker wrote it.
    return null;
  }
}
