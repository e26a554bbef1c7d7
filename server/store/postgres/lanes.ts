/** Jobs that wait for the same thing, done in their order and as many at once as have gathered. */
export interface Lanes<Job> {
  push(lane: string, job: Job): void;
}

/** So that those who wait behind are not kept long, and another replica gets its turn. */
const mostAtOnce = 32;

/** `work` never rejects; while it runs for a lane, what comes for that lane gathers. */
export function createLanes<Job>(work: (lane: string, jobs: readonly Job[]) => Promise<void>): Lanes<Job> {
  const waiting = new Map<string, Job[]>();

  async function drain(lane: string, jobs: Job[]): Promise<void> {
    // Whatever comes in the same turn goes along.
    await Promise.resolve();
    while (jobs.length > 0) await work(lane, jobs.splice(0, mostAtOnce));
    waiting.delete(lane);
  }

  return {
    push(lane, job) {
      const jobs = waiting.get(lane);
      if (jobs) {
        jobs.push(job);
        return;
      }
      const made = [job];
      waiting.set(lane, made);
      void drain(lane, made);
    },
  };
}
