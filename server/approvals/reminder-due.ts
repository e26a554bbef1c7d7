import type { ApprovalRow } from '../store/store.ts';

/** After which parts of an approval's life people are told that it still waits; with the last, others are told too. */
const milestones = [0.25, 0.5, 0.75] as const;

/** When the people asked are told next, `told` times having passed; null when there is no more to tell. */
export function reminderDue({ createdAt, expiresAt }: Pick<ApprovalRow, 'createdAt' | 'expiresAt'>, told: number): number | null {
  const part = milestones[told];
  return part === undefined ? null : Math.round(createdAt + (expiresAt - createdAt) * part);
}
