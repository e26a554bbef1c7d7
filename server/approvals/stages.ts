import { parseRequirement } from '../../policies/index.ts';
import type { ApprovalRow } from '../store/store.ts';
import { isOpen } from './satisfied.ts';

type Asked = Pick<ApprovalRow, 'votes' | 'requirements' | 'terms'>;

/** The requirements of an earlier stage that still lack people: until they are met, nobody approves this one. */
export function waitsBehind(row: Asked, literal: string): string[] {
  const stage = stageOf(row, literal);
  return stage <= 0 ? [] : row.requirements.filter((other) => isBetween(stageOf(row, other), stage) && isOpen(row, other));
}

/** Whom it waits for now: short of people, with nobody before them. */
export const askedNow = (row: Asked): string[] => row.requirements.filter((literal) => isOpen(row, literal) && waitsBehind(row, literal).length === 0);

const isBetween = (stage: number, before: number): boolean => stage >= 0 && stage < before;

/** -1 for whoever is in no stage. */
function stageOf({ terms }: Asked, literal: string): number {
  const asked = parseRequirement(literal);
  if (asked?.kind === 'approval') return terms.stages.indexOf(asked.group);
  return asked?.kind === 'confirm' ? terms.stages.indexOf('sponsor') : -1;
}
