import { appendFileSync } from 'node:fs';
import type { Point } from './steps.ts';

/** What clients and reviewers were told, and what was done to the brokers, in order. Kept outside the brokers, so that no kill reaches it. */
export type Entry =
  | { readonly what: 'opened' | 'ended'; readonly session: string }
  | (OfCall & { readonly what: 'result'; readonly decision: string; readonly record: number; readonly replayed: boolean; readonly dispatch: string })
  | (OfCall & { readonly what: 'refused'; readonly decision: string; readonly record: number | null; readonly code: string; readonly approval: string | null })
  | (OfCall & { readonly what: 'turned away'; readonly status: number })
  | (OfCall & { readonly what: 'lost' })
  | { readonly what: 'shown'; readonly approval: string; readonly digest: string }
  | { readonly what: 'voted'; readonly approval: string; readonly person: string; readonly decision: 'approve' | 'deny'; readonly status: string }
  | { readonly what: 'revoked'; readonly approval: string }
  | { readonly what: 'applying' | 'applied' | 'apply lost'; readonly generation: number }
  /** To who asked for it, or to who was to approve it. */
  | { readonly what: 'change shown'; readonly change: string; readonly digest: string }
  | { readonly what: 'change approved' | 'change rejected'; readonly change: string }
  | { readonly what: 'glass asked'; readonly glass: string; readonly session: string }
  | { readonly what: 'glass confirmed' | 'glass ended' | 'glass reviewed'; readonly glass: string }
  | { readonly what: 'standing shown'; readonly standing: string; readonly digest: string }
  | { readonly what: 'standing voted'; readonly standing: string; readonly person: string; readonly status: string }
  | { readonly what: 'standing revoked'; readonly standing: string }
  /** What reached the people of the tenant by mail. */
  | { readonly what: 'letter'; readonly text: string }
  | { readonly what: 'killed'; readonly scenario: string; readonly point: Point | null; readonly pid: number }
  /** A broker would not start because the store or the upstream kept it waiting too long; it was started again, as a supervisor would. */
  | { readonly what: 'start refused' }
  /** Every lease had run out, everything was swept, and every call that had got no final answer was tried once more. */
  | { readonly what: 'settled' };

interface OfCall {
  readonly session: string;
  readonly tool: string;
  readonly call: string;
}

export interface Journal {
  readonly entries: readonly Entry[];
  note(entry: Entry): void;
}

/** Also written to `file`, for whoever looks at a broken run. */
export function openJournal(file: string): Journal {
  const entries: Entry[] = [];
  return {
    entries,
    note(entry) {
      entries.push(entry);
      appendFileSync(file, `${JSON.stringify({ at: Date.now(), ...entry })}\n`);
    },
  };
}
