/** How often the file is looked at while somebody waits, in milliseconds. */
const everyMs = 100;

/**
 * Says when another process has committed to the file: SQLite has nothing that tells, only a number that moves. Looks only between
 * `start` and `stop`, and keeps no process alive.
 */
export function watchFile(version: () => number | null, changed: () => void): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  let attended = false;
  let before: number | null = null;
  const end = (): void => {
    if (timer) clearInterval(timer);
    timer = null;
  };
  const look = (): void => {
    // Who stops waiting soon waits again: the timer goes with the first look that nobody waits for.
    if (!attended) end();
    const now = timer ? version() : before;
    if (now === before) return;
    before = now;
    changed();
  };
  return {
    start() {
      attended = true;
      if (timer) return;
      before = version();
      timer = setInterval(look, everyMs);
      timer.unref();
    },
    stop() {
      attended = false;
    },
  };
}
