import type { BreakGlassRefused, BreakGlassRow } from '../store/index.ts';
import { type BreakGlassRefusal, type BreakGlassRefusalCode, refuseBreakGlass } from './refusals.ts';

export type BreakGlassAnswer = { readonly ok: true; readonly row: BreakGlassRow } | BreakGlassRefusal;

const codes = {
  not_found: 'break_glass.not_found',
  revision: 'stale',
  session_not_live: 'break_glass.no_session',
  already_there: 'break_glass.already_there',
  review_overdue: 'break_glass.review_overdue',
  not_requested: 'break_glass.not_requested',
  not_ended: 'break_glass.not_ended',
  nobody_told: 'break_glass.no_channel',
} as const satisfies Readonly<Record<BreakGlassRefused, BreakGlassRefusalCode>>;

export const answerOf = (
  answer: { readonly done: true; readonly row: BreakGlassRow } | { readonly done: false; readonly why: BreakGlassRefused },
): BreakGlassAnswer => (answer.done ? { ok: true, row: answer.row } : refuseBreakGlass(codes[answer.why]));
