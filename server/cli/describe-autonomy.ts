import { z } from 'zod';
import { fields } from './print.ts';

export const autonomy = z.looseObject({
  effects: z.looseObject({ alone: z.int(), standing: z.int(), remembered: z.int(), votes: z.int(), break_glass: z.int() }),
  autonomy: z.number().nullable(),
  tasks: z.int(),
  approvals: z.int(),
  approvals_per_task: z.number().nullable(),
});

export function describeAutonomy({ effects, autonomy: part, tasks, approvals, approvals_per_task: perTask }: z.infer<typeof autonomy>): string {
  return fields([
    ['autonomy', part === null ? 'nothing was changed' : `${Math.round(part * 100)} % of effects ran without a human deciding about exactly them`],
    ['  nobody asked', String(effects.alone)],
    ['  given before', `${effects.standing + effects.remembered} (${effects.remembered} of them remembered)`],
    ['  people', String(effects.votes)],
    ['  break-glass', String(effects.break_glass)],
    ['approvals', `${approvals} in ${tasks} tasks${perTask === null ? '' : `, ${perTask.toFixed(2)} a task`}`],
  ]);
}
