import { type Bench, type BenchOptions, requestInto } from '../broker.ts';
import type { Client } from '../children.ts';
import { benchTools } from '../documents.ts';

export interface ListFigures {
  readonly tools: number;
  /** Microseconds: the first after a start, when every tool's law is prepared; then the rest. */
  readonly first: number;
  readonly p50: number;
  readonly p99: number;
}

/** `tools/list` by one caller whose session was granted that many tools, all of them listed. */
export async function measureLists(begin: (more: Partial<BenchOptions>) => Promise<Bench>, client: Client, repeats: number): Promise<ListFigures[]> {
  const figures: ListFigures[] = [];
  for (const tools of [100, 1_000]) {
    const bench = await begin({ manyTools: tools - benchTools.length });
    const job = {
      ports: [bench.port],
      requests: [requestInto(await bench.open(), 'tools/list', {})],
      expect: `many__tool_${tools - benchTools.length - 1}`,
      callers: 1,
    };
    const { p50: first } = await client.run({ ...job, calls: 1 });
    await client.run({ ...job, calls: 3 });
    const { p50, p99 } = await client.run({ ...job, calls: repeats });
    figures.push({ tools, first, p50, p99 });
    await bench.close();
  }
  return figures;
}
