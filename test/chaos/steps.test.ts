import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteStore } from '../../server/store/index.ts';
import type { UpstreamPool } from '../../tools/index.ts';
import { body } from '../contract/samples.ts';
import { newFolder } from '../support/broker.ts';
import { seeded } from './random-run.ts';
import { type Point, watchSteps } from './steps.ts';

/** What stands in for death here: it must not go on, and a test has to. */
class Died extends Error {}
const upstreams: UpstreamPool = { connect: () => Promise.reject(new Error('none')), close: () => Promise.resolve() };

it('a point is reached at that step, that time, that statement, and nowhere else', async () => {
  const dir = await newFolder();
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const steps = watchSteps(() => {
    throw new Died();
  });
  const opened = await openSqliteStore({ path: join(dir, 'taskgate.db'), clock: Date.now });
  onTestFinished(() => opened.close());
  const { store } = steps.around({ store: opened, upstreams });
  const append = () => store.append(null, [body('access.refused')]);
  const length = async (): Promise<number> => (await opened.readRecords(null, 0, 100)).length;

  // The first one finds out what the others know.
  await append();
  steps.arm(null);
  await append();
  await store.readRecords(null, 0, 10);
  const [appended, read] = steps.taken();
  expect([appended?.step, read?.step]).toEqual(['append', 'readRecords']);
  // BEGIN, the version, SAVEPOINT, the record, RELEASE, the new head, the sequence, COMMIT, at least.
  const last = appended?.statements ?? 0;
  expect(last).toBeGreaterThanOrEqual(8);

  const at = async (point: Partial<Point>): Promise<number> => {
    const before = await length();
    steps.arm({ step: 'append', n: 1, statement: null, when: 'before', ...point });
    await (async () => append())().catch(() => undefined);
    return (await length()) - before;
  };
  expect(await at({})).toBe(0);
  expect(await at({ when: 'after' })).toBe(1);
  expect(await at({ statement: last })).toBe(0);
  expect(await at({ n: 2 })).toBe(1);
  expect(await at({ step: 'settle' })).toBe(1);
});

it('a seed gives the same numbers again, and another seed others', () => {
  const draw = (seed: number): number[] => Array.from({ length: 5 }, seeded(seed));
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(draw(7).every((one) => one >= 0 && one < 1)).toBe(true);
});
