import type { Store } from '../store/store.ts';
import type { RecordBody } from './record.ts';

export interface PlatformLog {
  /** Records what no tenant can be named for; false when this minute's share was used up and it was only counted. */
  note(record: RecordBody): Promise<boolean>;
  /** Writes down how many were only counted since the last summary; at the end of a process, so that the count is not lost. */
  flush(): Promise<void>;
}

const windowMs = 60_000;

/**
 * The platform log with a limit: strangers reach it without proving anything, so they must not be able to fill the disk or
 * starve the tenants' writes. What goes over the cap is counted and summed up in one record when the next window opens.
 */
export function createPlatformLog(store: Pick<Store, 'append'>, clock: () => number, perMinute = 20): PlatformLog {
  let opened = Number.NEGATIVE_INFINITY;
  let written = 0;
  let counted = 0;

  /** Writes records after a summary of what was only counted; a count that could not be written stands for the next time. */
  async function write(records: readonly RecordBody[], at: number): Promise<void> {
    const summed = counted;
    counted = 0;
    try {
      const summaries = summed === 0 ? [] : [summaryOf(summed, at)];
      if (summaries.length + records.length > 0) await store.append(null, [...summaries, ...records]);
    } catch (error) {
      counted += summed;
      throw error;
    }
  }

  return {
    async note(record) {
      const at = clock();
      // A clock set back opens a window as well; it must not close the log until it has caught up.
      const fresh = at - opened >= windowMs || at < opened;
      if (fresh) {
        opened = at;
        written = 0;
      }
      if (written >= perMinute) {
        counted += 1;
        return false;
      }
      written += 1;
      if (fresh) await write([record], at);
      else await store.append(null, [record]);
      return true;
    },
    flush: () => write([], clock()),
  };
}

function summaryOf(counted: number, at: number): RecordBody {
  return { type: 'access.refused', at, actor: 'taskgate', code: 'rate_limited', detail: `${counted} more were refused and not recorded one by one` };
}
