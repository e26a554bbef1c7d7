import type { Client } from 'pg';
import type { Listener } from '../signals.ts';
import { channel, readNotice } from './notices.ts';

/** In milliseconds. A connection that no longer answers is found out in `beatMs` and the driver's patience with a statement. */
const beatMs = 10_000;
const shortestPauseMs = 100;
const longestPauseMs = 5_000;

export interface Listening {
  /** From here on, until it is closed; said again it changes nothing. */
  start(): void;
  close(): Promise<void>;
}

/**
 * Hears what other replicas tell, on a connection of its own, and opens another when that is lost. Between two nobody hears, so
 * whoever waits is told to look again: when one is lost, with every attempt that fails, and when the next one listens. What was told `here` is not heard again.
 */
export function listenOn(open: () => Promise<Client>, here: string, hear: Listener): Listening {
  const closing = new AbortController();
  const resync = (): void => hear({ kind: 'resync' });
  let running: Promise<void> | null = null;

  async function keepListening(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; failures++) {
      if (await listenOnce()) failures = 0;
      if (closing.signal.aborted) return;
      resync();
      await pause(failures);
    }
  }

  /** Resolves once the connection is gone; false when it never listened. */
  async function listenOnce(): Promise<boolean> {
    let client: Client;
    try {
      client = await open();
    } catch {
      return false;
    }
    const gone = new Promise<void>((resolve) => client.once('end', resolve));
    const end = (): void => void client.connection.stream.destroy();
    closing.signal.addEventListener('abort', end);
    if (closing.signal.aborted) end();
    client.on('notification', ({ payload }) => {
      const change = readNotice(payload ?? '', here);
      if (change) hear(change);
    });
    const beat = setInterval(() => client.query('SELECT 1').catch(end), beatMs);
    beat.unref();
    try {
      await client.query(`LISTEN ${channel}`);
      resync();
      await gone;
      return true;
    } catch {
      end();
      await gone;
      return false;
    } finally {
      clearInterval(beat);
      closing.signal.removeEventListener('abort', end);
    }
  }

  function pause(failures: number): Promise<void> {
    const ms = Math.min(longestPauseMs, shortestPauseMs * 2 ** failures) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        closing.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      closing.signal.addEventListener('abort', done);
    });
  }

  return {
    start() {
      if (!closing.signal.aborted) running ??= keepListening();
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}
