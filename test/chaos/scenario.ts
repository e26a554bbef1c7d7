import type { Clients, Ended, Session } from './clients.ts';
import { isBusy } from './doors.ts';
import type { World } from './world.ts';

/** What a scenario is played on: whichever broker is there now. */
export interface Stage {
  readonly clients: Clients;
  readonly world: World;
  url(): string;
  newCall(): string;
  newGeneration(): number;
  newWidth(): number;
}

/** Set up, then one act during which the broker dies at a step, then what the clients do at the broker that comes after it. */
export interface Scenario {
  readonly name: string;
  set(stage: Stage): Promise<{ act(): Promise<unknown>; after(): Promise<unknown> }>;
}

/** What did not come back as it must after a kill. */
export class NotRecovered extends Error {
  override readonly name = 'NotRecovered';
}

export function expect(ended: Ended, ...allowed: readonly string[]): Ended {
  const said = ended.kind === 'refused' ? ended.code : ended.kind === 'result' && ended.replayed ? 'replayed' : ended.kind;
  if (!allowed.includes(said)) throw new NotRecovered(`${said} where only ${allowed.join(', ')} can be: ${JSON.stringify(ended)}`);
  return ended;
}

export async function look(stage: Stage, session: Session): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const ended = await stage.clients.call(stage.url(), session, 'look', stage.newCall());
    if (ended.kind === 'turned away' && isBusy(ended.status)) continue;
    expect(ended, 'result');
    return;
  }
  throw new NotRecovered('the store stays away');
}
