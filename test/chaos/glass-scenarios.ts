import type { Session } from './clients.ts';
import { drawn, drawUntilAsked } from './draw.ts';
import { expect, type Scenario, type Stage } from './scenario.ts';

/** A session whose break-glass is as far as `until`. */
async function opened(stage: Stage, until: 'asked' | 'active' | 'used' | 'ended') {
  const { clients } = stage;
  const session = await clients.open(stage.url(), 'work');
  const glass = await clients.askGlass(stage.url(), session.id);
  if (until !== 'asked') await clients.confirmGlass(stage.url(), glass);
  if (until === 'used' || until === 'ended') expect(await drawn(stage, session), 'result');
  if (until === 'ended') await clients.endGlass(stage.url(), glass);
  return { session, glass };
}

/** To its end; no call of its session runs any more. */
async function over(stage: Stage, session: Session, glass: string): Promise<void> {
  await stage.clients.endGlass(stage.url(), glass);
  expect(await drawn(stage, session), 'turned away');
}

export const glassScenarios: readonly Scenario[] = [
  {
    name: 'asking for break-glass',
    async set(stage) {
      const session = await stage.clients.open(stage.url(), 'work');
      const ask = (): Promise<string> => stage.clients.askGlass(stage.url(), session.id);
      return {
        act: ask,
        async after() {
          const glass = await ask();
          expect(await drawn(stage, session), 'approval.required');
          await stage.clients.confirmGlass(stage.url(), glass);
          await over(stage, session, glass);
        },
      };
    },
  },
  {
    name: 'confirming break-glass',
    async set(stage) {
      const { session, glass } = await opened(stage, 'asked');
      const confirm = (): Promise<void> => stage.clients.confirmGlass(stage.url(), glass);
      return {
        act: confirm,
        async after() {
          await confirm();
          expect(await drawn(stage, session), 'result');
          await over(stage, session, glass);
        },
      };
    },
  },
  {
    name: 'a call under break-glass',
    async set(stage) {
      const { session, glass } = await opened(stage, 'active');
      return {
        act: async () => expect(await drawn(stage, session), 'result'),
        async after() {
          await drawUntilAsked(stage, session);
          await over(stage, session, glass);
        },
      };
    },
  },
  {
    name: 'ending break-glass',
    async set(stage) {
      const { session, glass } = await opened(stage, 'used');
      return { act: () => stage.clients.endGlass(stage.url(), glass), after: () => over(stage, session, glass) };
    },
  },
  {
    name: 'reviewing break-glass',
    async set(stage) {
      const { glass } = await opened(stage, 'ended');
      const review = (): Promise<void> => stage.clients.reviewGlass(stage.url(), glass);
      return { act: review, after: review };
    },
  },
];
