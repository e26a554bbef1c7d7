import { type Bench, requestInto } from '../broker.ts';
import type { Client } from '../children.ts';
import { median } from '../statistics.ts';

/** Milliseconds from spawning a broker, on the store it left, to its first answered `tools/list`; the median of three. */
export async function measureStart(bench: Bench, client: Client): Promise<number> {
  const request = requestInto(await bench.open(), 'tools/list', {});
  const times: number[] = [];
  for (let time = 0; time < 3; time++) {
    await bench.stop();
    const began = performance.now();
    await bench.start();
    await client.run({ ports: [bench.port], requests: [request], expect: 'bench__echo', callers: 1, calls: 1 });
    times.push(performance.now() - began);
  }
  return median(times);
}
