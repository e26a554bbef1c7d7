import { close, fdatasync, openSync } from 'node:fs';

/** Makes what was committed durable without holding the loop; all that was committed before a flush begins shares it. */
export interface Flush {
  /** For what was committed just now; `settle` is told once that is durable, or why it cannot be said to be. */
  add(settle: Settle): void;
  /** Resolves once all that was added before is durable, or with why it cannot be said to be; null when it is already. */
  settled(): Promise<Error | null> | null;
  /** Lets go of the journal once no flush is under way. */
  close(): void;
}

type Settle = (error: Error | null) => void;

/**
 * Flushes the journal (`-wal`) of a file whose connection leaves that to us: with `synchronous = NORMAL` SQLite flushes it before a
 * checkpoint and not at each commit (sqlite.org/pragma.html#pragma_synchronous). One `fdatasync` at a time; commits that come
 * meanwhile share the next. After one that failed none is trusted again, for the kernel may have dropped what it could not write.
 */
export function createFlush(journal: string): Flush {
  const file = openSync(journal, 'r');
  let under: Settle[] | null = null;
  let waiting: Settle[] = [];
  let lost: Error | null = null;
  let closed = false;

  function begin(): void {
    const these = waiting;
    under = these;
    waiting = [];
    fdatasync(file, (error) => {
      lost ??= error;
      for (const settle of lost ? [...these, ...waiting.splice(0)] : these) settle(lost);
      under = null;
      if (waiting.length > 0) begin();
      else if (closed) letGo();
    });
  }

  // Whatever becomes of it, nothing is lost with it.
  const letGo = (): void => close(file, () => undefined);

  return {
    add(settle) {
      if (lost) {
        settle(lost);
        return;
      }
      waiting.push(settle);
      if (!under) begin();
    },
    settled() {
      if (!under) return null;
      const last = waiting.length > 0 ? waiting : under;
      return new Promise((resolve) => last.push(resolve));
    },
    close() {
      if (closed) return;
      closed = true;
      if (!under) letGo();
    },
  };
}
