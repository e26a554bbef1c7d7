/** What the console says after something was done; the address of the next page names it. */
const notices = {
  approved: 'Approved. Your vote is on the record.',
  denied: 'Denied. The agent is told, with your reason.',
  'batch-decided': 'Decided. Each vote is on the record by itself.',
  'place-lent': 'Lent. Your colleague votes in your place until it ends or you take it back.',
  'place-back': 'Over. Everybody votes for themselves again.',
  'standing-given': 'Given. It is in force once as many have given it as it stands for.',
  'standing-refused': 'Refused, for everybody.',
  'standing-ended': 'Ended. Calls like these are asked about again.',
  narrowed: 'This is the narrowed call. Nobody has agreed to it yet, you included: decide below.',
  remembered: 'Remembered until the task ends.',
  remembering: 'Remembered once the others who were needed say the same.',
  revoked: 'Taken back. The call will not run.',
  'session-ended': 'The task has ended. What it could do is gone.',
  'session-suspended': 'The task is suspended. Its next call is refused.',
  'passkey-added': 'Added. It signs once another admin has confirmed it and a day has passed.',
  'passkey-confirmed': 'Confirmed. It signs from a day from now.',
  'passkey-removed': 'Removed. It signs nothing any more.',
  'glass-asked': 'Asked for. Nothing is open until a second person confirms it.',
  'glass-confirmed': 'Active. Everybody is told, and the clock runs.',
  'glass-ended': 'Over. What was open is closed.',
  'glass-reviewed': 'Reviewed. Your finding is on the record.',
  'change-approved': 'Approved. It is in force.',
  'change-rejected': 'Taken back. It will not take effect.',
  'logged-in': 'You are logged in.',
} as const;
export type Notice = keyof typeof notices;

export const noticeOf = (name: string | undefined): string | null => (name !== undefined && Object.hasOwn(notices, name) ? notices[name as Notice] : null);
