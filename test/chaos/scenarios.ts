import { changeScenarios } from './change-scenarios.ts';
import type { Ended, Session } from './clients.ts';
import { glassScenarios } from './glass-scenarios.ts';
import { expect, look, NotRecovered, type Scenario, type Stage } from './scenario.ts';
import { standingScenarios } from './standing-scenarios.ts';
import { filesOfAcme } from './world.ts';

/** All an approved call can come to, once its broker was killed anywhere on the way. */
const anyEnd = ['result', 'replayed', 'approval.running', 'outcome.unknown'] as const;

async function ask(stage: Stage, session: Session, call: string): Promise<string> {
  const ended = expect(await stage.clients.call(stage.url(), session, 'pay', call), 'approval.required');
  if (ended.kind !== 'refused' || ended.approval === null) throw new NotRecovered('an approval without a name');
  return ended.approval;
}
async function vote(
  stage: Stage,
  approval: string,
  decision: 'approve' | 'deny' = 'approve',
  persons: readonly ('bob' | 'carl')[] = ['bob', 'carl'],
): Promise<void> {
  for (const person of persons) {
    const status = await stage.clients.vote(stage.url(), person, approval, decision);
    if (status !== 200) throw new NotRecovered(`${person} could not vote on ${approval}: ${status}`);
  }
}
const pay = async (stage: Stage, session: Session, call: string, ...allowed: readonly string[]): Promise<Ended> =>
  expect(await stage.clients.call(stage.url(), session, 'pay', call), ...allowed);

/** A session with a call whose approval is as far as `until`. */
async function asked(stage: Stage, until: 'asked' | 'approved' | 'run' = 'asked') {
  const session = await stage.clients.open(stage.url(), 'work');
  const call = stage.newCall();
  const approval = await ask(stage, session, call);
  if (until !== 'asked') await vote(stage, approval);
  if (until === 'run') await pay(stage, session, call, 'result');
  return { session, call, approval };
}

const simple = (name: string, tool: 'look' | 'note'): Scenario => ({
  name,
  async set(stage) {
    const session = await stage.clients.open(stage.url(), 'work');
    return {
      act: () => stage.clients.call(stage.url(), session, tool, stage.newCall()),
      after: () => look(stage, session),
    };
  },
});

export const scenarios: readonly Scenario[] = [
  simple('a read', 'look'),
  simple('a write', 'note'),
  {
    name: 'a refused call',
    async set(stage) {
      const session = await stage.clients.open(stage.url(), 'work');
      const act = async (): Promise<Ended> => expect(await stage.clients.call(stage.url(), session, 'note', stage.newCall(), -1), 'arguments.invalid');
      return { act, after: act };
    },
  },
  {
    name: 'asking for approval',
    async set(stage) {
      const session = await stage.clients.open(stage.url(), 'work');
      const call = stage.newCall();
      return {
        act: () => ask(stage, session, call),
        async after() {
          const approval = await ask(stage, session, call);
          if ((await ask(stage, session, call)) !== approval) throw new NotRecovered('the same call was asked for twice');
          await vote(stage, approval);
          await pay(stage, session, call, 'result');
        },
      };
    },
  },
  {
    name: 'two votes',
    async set(stage) {
      const { session, call, approval } = await asked(stage);
      return {
        act: () => vote(stage, approval),
        async after() {
          await vote(stage, approval);
          await pay(stage, session, call, 'result');
        },
      };
    },
  },
  {
    name: 'a denial',
    async set(stage) {
      const { session, call, approval } = await asked(stage);
      const deny = () => vote(stage, approval, 'deny', ['bob']);
      return {
        act: deny,
        async after() {
          await deny();
          await pay(stage, session, call, 'approval.denied');
        },
      };
    },
  },
  {
    name: 'taking an approval back',
    async set(stage) {
      const { session, call, approval } = await asked(stage, 'approved');
      const revoke = async (): Promise<void> => {
        const status = await stage.clients.revoke(stage.url(), approval);
        if (status !== 200) throw new NotRecovered(`${approval} could not be taken back: ${status}`);
      };
      return {
        act: revoke,
        async after() {
          await revoke();
          await pay(stage, session, call, 'approval.denied', 'approval.required');
        },
      };
    },
  },
  {
    name: 'an approved call',
    async set(stage) {
      const { session, call } = await asked(stage, 'approved');
      return {
        act: () => pay(stage, session, call, 'result'),
        async after() {
          await pay(stage, session, call, ...anyEnd);
          await pay(stage, session, call, 'replayed', 'approval.running', 'outcome.unknown');
        },
      };
    },
  },
  {
    name: 'an outcome asked for again',
    async set(stage) {
      const { session, call } = await asked(stage, 'run');
      return { act: () => pay(stage, session, call, 'replayed'), after: () => pay(stage, session, call, 'replayed') };
    },
  },
  {
    name: 'an approval overtaken',
    async set(stage) {
      const { session, call, approval } = await asked(stage);
      // What the task has read since is above what the reviewers were shown.
      await look(stage, session);
      await vote(stage, approval);
      return {
        act: () => pay(stage, session, call, 'approval.required'),
        async after() {
          const again = await ask(stage, session, call);
          if (again === approval) throw new NotRecovered('an approval that was overtaken is asked for again');
          await vote(stage, again);
          await pay(stage, session, call, 'result');
        },
      };
    },
  },
  {
    name: 'opening a task',
    async set(stage) {
      const open = () => stage.clients.open(stage.url(), 'work');
      return { act: open, after: open };
    },
  },
  {
    name: 'renewing a token',
    async set(stage) {
      const session = await stage.clients.open(stage.url(), 'work');
      const renew = () => stage.clients.renew(stage.url(), session);
      return { act: renew, after: renew };
    },
  },
  {
    name: 'ending a task',
    async set(stage) {
      const { session, call } = await asked(stage);
      return {
        act: () => stage.clients.end(stage.url(), session),
        async after() {
          await stage.clients.end(stage.url(), session);
          await pay(stage, session, call, 'turned away');
        },
      };
    },
  },
  {
    name: 'an apply',
    async set(stage) {
      const generation = stage.newGeneration();
      const apply = () => stage.clients.apply(stage.url(), generation, filesOfAcme(stage.world, generation));
      return { act: apply, after: apply };
    },
  },
  ...changeScenarios,
  ...glassScenarios,
  ...standingScenarios,
];
