import type { LiveConnection } from './mcp-client.ts';
import type { UpstreamConnection } from './upstream.ts';

/** One live connection as the pool keeps it: closed by itself when nobody has used it for a while. */
export interface Pooled {
  readonly connection: UpstreamConnection;
  /** The connection, for somebody who is about to use it. */
  lend(): UpstreamConnection;
  /** When it was last lent or called, epoch milliseconds. */
  usedAt(): number;
  /** Nobody calls on it, or was lent it within `lentMs`. */
  isResting(lentMs: number): boolean;
  /** From now on it is kept no longer than this once nobody uses it. */
  retireAfter(ms: number): void;
  isClosed(): boolean;
  /** It has answered, or was closed on purpose: its end is no failure. */
  isDone(): boolean;
}

/** How long a list of definitions is believed. */
const listGoodMs = 30_000;

export function createPooled(raw: LiveConnection, options: { readonly clock: () => number; readonly idleMs: number; onAnswer(): void }): Pooled {
  const { clock } = options;
  let { idleMs } = options;
  let usedAt = clock();
  let listedAt = usedAt;
  let done = false;
  let idle: NodeJS.Timeout | null = null;

  const stop = (): void => {
    if (idle) clearTimeout(idle);
    idle = null;
  };
  const rest = (): void => {
    stop();
    if (!raw.isClosed()) idle = setTimeout(() => (raw.inFlight() === 0 ? void connection.close() : rest()), idleMs).unref();
  };
  const use = (): void => {
    usedAt = clock();
    // The same timer, started anew.
    if (idle) idle.refresh();
  };
  const connection: UpstreamConnection = {
    async definitions(asked = false) {
      // An upstream that announces nothing is asked again: a list is believed only for so long.
      const again = asked || clock() - listedAt >= listGoodMs;
      const listed = await raw.definitions(again);
      if (again) listedAt = clock();
      return listed;
    },
    async call(call) {
      use();
      try {
        const outcome = await raw.call(call);
        if (outcome.kind === 'result') {
          done = true;
          options.onAnswer();
        }
        return outcome;
      } finally {
        use();
      }
    },
    async close() {
      done = true;
      stop();
      await raw.close();
    },
  };
  rest();
  void raw.closed.then(stop);
  return {
    connection,
    lend() {
      use();
      return connection;
    },
    usedAt: () => usedAt,
    isResting: (lentMs) => raw.inFlight() === 0 && clock() - usedAt >= lentMs,
    retireAfter(ms) {
      idleMs = Math.min(idleMs, ms);
      rest();
    },
    isClosed: () => raw.isClosed(),
    isDone: () => done,
  };
}
