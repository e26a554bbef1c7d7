import { NotRecovered, type Scenario, type Stage } from './scenario.ts';
import { filesOfAcme } from './world.ts';

/** A width that waits, asked for by dana; erin decides. */
async function asked(stage: Stage): Promise<{ readonly change: string; ask(): Promise<string> }> {
  const width = stage.newWidth();
  const ask = (): Promise<string> => stage.clients.askChange(stage.url(), width);
  return { change: await ask(), ask };
}

function must(said: number | string, ...allowed: readonly (number | string)[]): void {
  if (!allowed.includes(said)) throw new NotRecovered(`a change came to ${said} where only ${allowed.join(', ')} can be`);
}
const approve = async (stage: Stage, change: string): Promise<void> => must(await stage.clients.approveChange(stage.url(), change), 200);

async function movesOn(stage: Stage): Promise<void> {
  const generation = stage.newGeneration();
  await stage.clients.apply(stage.url(), generation, filesOfAcme(stage.world, generation));
}

export const changeScenarios: readonly Scenario[] = [
  {
    name: 'asking for what widens',
    async set(stage) {
      const width = stage.newWidth();
      const ask = (): Promise<string> => stage.clients.askChange(stage.url(), width);
      return {
        act: ask,
        async after() {
          const change = await ask();
          if ((await ask()) !== change) throw new NotRecovered('the same change was asked for twice');
          await approve(stage, change);
        },
      };
    },
  },
  {
    name: 'asking again after the configuration moved on',
    async set(stage) {
      const { change, ask } = await asked(stage);
      await movesOn(stage);
      return {
        act: ask,
        async after() {
          const again = await ask();
          if (again === change) throw new NotRecovered('what was planned on an earlier configuration is asked for as it was');
          must(await stage.clients.approveChange(stage.url(), change), 'change.not_pending');
          await approve(stage, again);
        },
      };
    },
  },
  {
    name: 'approving a change',
    async set(stage) {
      const { change } = await asked(stage);
      const act = (): Promise<void> => approve(stage, change);
      return {
        act,
        async after() {
          await act();
          must(await stage.clients.rejectChange(stage.url(), change), 'change.not_pending');
        },
      };
    },
  },
  {
    name: 'a change planned anew',
    async set(stage) {
      const { change } = await asked(stage);
      await movesOn(stage);
      return {
        act: async () => must(await stage.clients.approveChange(stage.url(), change, 1), 'change.replanned'),
        after: () => approve(stage, change),
      };
    },
  },
  {
    name: 'taking a change back',
    async set(stage) {
      const { change } = await asked(stage);
      const act = async (): Promise<void> => must(await stage.clients.rejectChange(stage.url(), change), 200);
      return {
        act,
        async after() {
          await act();
          must(await stage.clients.approveChange(stage.url(), change), 'change.not_pending');
        },
      };
    },
  },
];
