import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noticesOf, readObserved, renderPlan } from '../../server/documents/index.ts';
import { edited, makeWorld, type Texts } from './world.ts';

// The world's clock stands at noon of 2026-06-01.
let world: Awaited<ReturnType<typeof makeWorld>>;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world.close());

const observed = (until: string, more: Texts = {}): Texts => ({
  ...edited('use-case.yaml', 'ceiling: internal', `observe_until: ${until}\nceiling: internal`),
  ...more,
});
async function applied(...args: Parameters<typeof world.apply>) {
  const answer = await world.enforce(...args);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
  return answer;
}
const marked = ({ plan }: Awaited<ReturnType<typeof applied>>) => plan.items.map(({ kind, effect, differences }) => [kind, effect, differences]);

describe('observing a use case', () => {
  it('widens when it begins and when it is prolonged, narrows when it is shortened and when it ends', async () => {
    await applied();
    const told = (before: string, after: string, effect: string) => [['UseCase', effect, [`observe_until: ${before} → ${after} (${effect})`]]];
    expect(marked(await applied(observed('2026-06-10')))).toEqual(told('not set', '2026-06-10', 'widens'));
    expect(marked(await applied(observed('2026-06-20')))).toEqual(told('2026-06-10', '2026-06-20', 'widens'));
    expect(marked(await applied(observed('2026-06-15')))).toEqual(told('2026-06-20', '2026-06-15', 'narrows'));
    expect(marked(await applied())).toEqual(told('2026-06-15', 'not set', 'narrows'));
    const records = await world.ports.store.readRecords('tiny', 0, 20);
    const inForce = records.filter(({ body }) => body.type === 'configuration.applied');
    expect(inForce.map(({ body }) => body.changes?.find(({ kind }) => kind === 'UseCase')?.effect)).toEqual([
      'widens',
      'widens',
      'widens',
      'narrows',
      'narrows',
    ]);
  });

  it('may be given for 30 days and not for 31, told where it stands', async () => {
    expect((await world.apply(observed('2026-07-01'), { dryRun: true })).ok).toBe(true);
    const answer = await world.apply(observed('2026-07-02'));
    expect(answer).toMatchObject({
      ok: false,
      problems: [{ file: 'use-case.yaml', line: 12, path: 'observe_until', remedy: expect.stringContaining('2026-07-01') }],
    });
  });

  it('is warned about at each apply, and names each destructive tool that is let loose', async () => {
    const destructive = edited('upstream.yaml', 'effect: write', 'effect: destructive');
    const warning = 'tiny: UseCase garden is observed until 2026-06-10: policy of the tenant is recorded and NOT enforced';
    expect(noticesOf(await applied(observed('2026-06-10')))).toContain(warning);
    const plan = await applied(observed('2026-06-10', destructive));
    expect(noticesOf(plan)).toContain(`${warning}; that lets DESTRUCTIVE tools run unchecked by it: things__touch`);
    expect(renderPlan((await applied(observed('2026-06-10', destructive))).plan)).toContain('NOT enforced');
  });

  it('of a day that has passed has no effect, which is said', async () => {
    expect(noticesOf(await applied(observed('2026-05-31')))).toContain('tiny: UseCase garden: observe_until 2026-05-31 has passed and has no effect');
    expect(await readObserved(world.ports.store, world.ports.clock())).toEqual([]);
  });

  it('is found in the store until the end of its day, with its owner', async () => {
    await applied(observed('2026-06-10'));
    const one = { tenant: 'tiny', useCase: 'garden', owner: 'ada', until: '2026-06-10' };
    expect(await readObserved(world.ports.store, Date.parse('2026-06-10T23:59:59.999Z'))).toEqual([one]);
    expect(await readObserved(world.ports.store, Date.parse('2026-06-11T00:00:00Z'))).toEqual([]);
  });
});
