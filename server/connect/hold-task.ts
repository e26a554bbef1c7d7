import type { BrokerDoors } from './broker.ts';
import { exits, Failure } from './failure.ts';
import { endTask, type Holder, renewTask, type Task } from './session.ts';
import type { Workload } from './workload.ts';

/** One task for as long as a host stays: opened when first needed, its token kept fresh, ended with the host. */
export interface HeldTask {
  /** Opens the session on the first call; a failed opening is tried again by the next. */
  current(): Promise<Task>;
  /** A token with life left. */
  token(): Promise<string>;
  /** The broker refused the token: tries once for a fresh one. Rejects when the task has ended; `why` is what the refusal said. */
  refused(why: string | null): Promise<void>;
  /** Why the task ended, in words; null while it lives. */
  ended(): string | null;
  /** Ends the session at the broker; quiet when there is none. */
  release(): Promise<void>;
}

/** A token is renewed when less than this is left of it, or a fifth of its life when that is shorter. */
const spareMs = 60_000;

export function holdTask(doors: BrokerDoors, workload: Workload, holder: Holder, open: () => Promise<Task>, clock: () => number): HeldTask {
  let task: Promise<Task> | null = null;
  let renewing: Promise<void> | null = null;
  let obtainedAt = 0;
  let why: string | null = null;

  const current = (): Promise<Task> => {
    task ??= open().then(
      (opened) => {
        obtainedAt = clock();
        return opened;
      },
      (error: unknown) => {
        task = null;
        throw error;
      },
    );
    return task;
  };

  const renew = async (): Promise<void> => {
    const { session } = await current();
    const fresh = await renewTask(doors, workload, session, holder);
    obtainedAt = clock();
    task = Promise.resolve(fresh);
  };
  // Calls run side by side; they share one renewal.
  const renewOnce = (): Promise<void> => {
    renewing ??= renew().finally(() => {
      renewing = null;
    });
    return renewing;
  };

  const isDue = (held: Task): boolean => {
    const spare = Math.min(spareMs, (held.tokenExpires - obtainedAt) / 5);
    // A token that lasts to the session's end cannot become longer.
    return held.tokenExpires - clock() < spare && held.tokenExpires + 1000 < held.endsAt * 1000;
  };

  return {
    current,
    async token() {
      const held = await current();
      // A renewal that fails early costs nothing: the token still has life, and its refusal is handled where it happens.
      if (isDue(held)) await renewOnce().catch(() => undefined);
      return (await current()).accessToken;
    },
    async refused(said) {
      try {
        await renewOnce();
      } catch (error) {
        if (error instanceof Failure && error.exit === exits.refused) why = said ?? error.message;
        throw error;
      }
    },
    ended: () => why,
    async release() {
      if (task === null || why !== null) return;
      await endTask(doors, workload, (await task).accessToken);
    },
  };
}
