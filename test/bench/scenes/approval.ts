import { setTimeout } from 'node:timers/promises';
import { type Bench, requestInto } from '../broker.ts';
import type { Client } from '../children.ts';
import { spread } from '../statistics.ts';
import { numberMark } from '../wire.ts';

interface Pending {
  readonly id: string;
  readonly digest: string;
}

/**
 * Milliseconds from a reviewer's decision being sent to the result of the call that was held for it: the vote, the call
 * judged again, run and recorded.
 */
export async function measureApproval(bench: Bench, client: Client, repeats: number): Promise<{ readonly p50: number; readonly p95: number }> {
  const reviewer = await bench.person('bob');
  const v1 = async <T>(path: string, body?: object): Promise<T> => {
    const headers = { authorization: `Bearer ${reviewer}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const response = await fetch(`${bench.url}/v1${path}`, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  };
  const request = requestInto(await bench.open(), 'tools/call', { name: 'bench__ask', arguments: { text: `asks-${numberMark}` } });
  const times: number[] = [];
  for (let time = 0; time < repeats; time++) {
    const held = client.run({ ports: [bench.port], requests: [request], expect: '"text":"asks-', callers: 1, calls: 1 });
    held.catch(() => undefined);
    const pending = await firstPending(async () => (await v1<{ items: Pending[] }>('/approvals?status=pending')).items);
    const decided = performance.now();
    await v1(`/approvals/${pending.id}/decisions`, { decision: 'approve', digest: pending.digest, reason: 'as measured' });
    await held;
    times.push(performance.now() - decided);
  }
  return spread(times);
}

async function firstPending(list: () => Promise<readonly Pending[]>): Promise<Pending> {
  for (let look = 0; look < 400; look++) {
    const [pending] = await list();
    if (pending) return pending;
    await setTimeout(25);
  }
  throw new Error('no approval came to be pending within 10 s');
}
