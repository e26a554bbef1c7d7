import { afterAll, beforeAll, expect, it } from 'vitest';
import { type NeighbourBroker, startNeighbours } from './broker.ts';
import { callOf, floods } from './floods.ts';
import { type Loaded, startLoader } from './load.ts';

/**
 * The short form of `npm run neighbours`, to be run on a machine that does other things too: it fails when a neighbour
 * starves or waits several times longer, not when the processors are busy.
 */

let broker: NeighbourBroker;
const [flooder, neighbour] = [startLoader(10), startLoader(0)];
beforeAll(async () => {
  broker = await startNeighbours(['a', 'b']);
});
afterAll(async () => {
  flooder.stop();
  neighbour.stop();
  await broker.stop();
});

it('a tenant that floods in every way at once neither starves its neighbour nor makes it wait several times longer', async () => {
  const [a, b] = [[await broker.open('a'), await broker.open('a'), await broker.open('a')], await broker.open('b')];
  const { port } = broker;
  const steady = { port, requests: [callOf(b, 'bench__echo', 'steady ########')], connections: 1, perSecond: 20, seconds: 3 };
  const flood = { port, requests: Object.values(floods).flatMap((requestsOf) => requestsOf(a)), connections: 64, perSecond: 300, seconds: 4 };
  await neighbour.run({ ...steady, seconds: 1 });
  const alone: Loaded = await neighbour.run(steady);
  const [beside, flooded] = await Promise.all([neighbour.run(steady), flooder.run(flood)]);
  expect(Object.keys(beside.answers)).toEqual(['200']);
  expect(beside.p99).toBeLessThan(3 * alone.p99 + 250);
  expect(beside.worst).toBeLessThan(5_000);
  // The flood did arrive.
  expect(Object.keys(flooded.answers)).toEqual(expect.arrayContaining(['401 token.invalid', '200 policy.forbidden']));
});
