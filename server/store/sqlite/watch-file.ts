/** How often the file is looked at while somebody waits, in milliseconds. */
const everyMs = 100;

/**
 * Says when another process has committed to the file: SQLite has nothing that tells, only a number that moves. Looks only between
 * `start` and `stop`, and keeps no process alive.
 */
export function watchFile(version: () => number | null, changed: () => void): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  let before: number | null = null;
  const look = (): void => {
    const now = version();
    if (now === before) return;
    before = now;
    changed();
  };
  const stop = (): void => {
    if (timer) clearInterval(timer);
    timer = null;
  };
  return {
    start() {
      stop();
      before = version();
      timer = setInterval(look, everyMs);
      timer.unref();
    },
    stop,
  };
}
