import type { Ended, Session } from './clients.ts';
import { isBusy } from './doors.ts';
import { expect, NotRecovered, type Stage } from './scenario.ts';

/** Payments that rest on what was given before them: each is a call of its own, and none is repeated. */

const mostTries = 20;

/** How one payment ended; another where the store was too busy to say. */
export async function drawn(stage: Stage, session: Session): Promise<Ended> {
  for (let attempt = 1; ; attempt++) {
    const ended = await stage.clients.call(stage.url(), session, 'pay', stage.newCall(), 0, 'another call');
    if (ended.kind !== 'turned away' || !isBusy(ended.status) || attempt === mostTries) return ended;
  }
}

/** Payments until what was given is used up, and people are asked. */
export async function drawUntilAsked(stage: Stage, session: Session): Promise<void> {
  for (let attempt = 0; attempt < mostTries; attempt++) {
    if (expect(await drawn(stage, session), 'result', 'approval.required').kind === 'refused') return;
  }
  throw new NotRecovered('what was given is never used up');
}
