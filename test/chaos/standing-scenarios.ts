import type { Session } from './clients.ts';
import { drawn, drawUntilAsked } from './draw.ts';
import { expect, NotRecovered, type Scenario, type Stage } from './scenario.ts';

async function give(stage: Stage, standing: string): Promise<void> {
  for (const person of ['bob', 'carl'] as const) {
    const status = await stage.clients.voteStanding(stage.url(), person, standing);
    if (status !== 200) throw new NotRecovered(`${person} could not give ${standing}: ${status}`);
  }
}
async function revoke(stage: Stage, standing: string): Promise<void> {
  const status = await stage.clients.revokeStanding(stage.url(), standing);
  if (status !== 200) throw new NotRecovered(`${standing} could not be taken back: ${status}`);
}

/** A session of the use case, and a standing approval for it that was given. */
async function given(stage: Stage): Promise<{ readonly session: Session; readonly standing: string }> {
  const session = await stage.clients.open(stage.url(), 'steady');
  const standing = await stage.clients.proposeStanding(stage.url());
  await give(stage, standing);
  return { session, standing };
}

/** Until it is taken back; then people are asked again. The task ends: only so many calls of an agent may wait. */
async function over(stage: Stage, session: Session, standing: string): Promise<void> {
  await revoke(stage, standing);
  expect(await drawn(stage, session), 'approval.required');
  await stage.clients.end(stage.url(), session);
}

export const standingScenarios: readonly Scenario[] = [
  {
    name: 'proposing a standing approval',
    async set(stage) {
      const session = await stage.clients.open(stage.url(), 'steady');
      const propose = (): Promise<string> => stage.clients.proposeStanding(stage.url());
      return {
        act: propose,
        async after() {
          const standing = await propose();
          expect(await drawn(stage, session), 'approval.required');
          await give(stage, standing);
          expect(await drawn(stage, session), 'result');
          await over(stage, session, standing);
        },
      };
    },
  },
  {
    name: 'giving a standing approval',
    async set(stage) {
      const session = await stage.clients.open(stage.url(), 'steady');
      const standing = await stage.clients.proposeStanding(stage.url());
      return {
        act: () => give(stage, standing),
        async after() {
          await give(stage, standing);
          expect(await drawn(stage, session), 'result');
          await over(stage, session, standing);
        },
      };
    },
  },
  {
    name: 'a call that rests on a standing approval',
    async set(stage) {
      const { session, standing } = await given(stage);
      return {
        act: async () => expect(await drawn(stage, session), 'result'),
        async after() {
          await drawUntilAsked(stage, session);
          await over(stage, session, standing);
        },
      };
    },
  },
  {
    name: 'taking a standing approval back',
    async set(stage) {
      const { session, standing } = await given(stage);
      expect(await drawn(stage, session), 'result');
      return { act: () => revoke(stage, standing), after: () => over(stage, session, standing) };
    },
  },
];
