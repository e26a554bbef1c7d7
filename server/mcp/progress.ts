interface ProgressNotification {
  readonly method: 'notifications/progress';
  readonly params: { readonly progressToken: string | number; readonly progress: number; readonly total?: number };
}

/** A client that does not read what it asked for has this many of them in memory, and no more. */
const mostOfOneCall = 1_000;

/** Passes an upstream's progress on to a client that asked for it: numbers only, and only ever upwards. */
export function relayProgress(
  token: string | number | undefined,
  notify: (notification: ProgressNotification) => Promise<void>,
): ((progress: number, total: number | null) => void) | null {
  if (token === undefined) return null;
  let last = Number.NEGATIVE_INFINITY;
  let sent = 0;
  return (progress, total) => {
    if (!Number.isFinite(progress) || progress <= last || sent >= mostOfOneCall) return;
    last = progress;
    sent += 1;
    const params = { progressToken: token, progress, ...(total !== null && Number.isFinite(total) ? { total } : {}) };
    // A client that has gone away needs no progress; the call itself hears of it through its signal.
    notify({ method: 'notifications/progress', params }).catch(() => {});
  };
}

/** A 2025-era client is told every so often, in milliseconds, that its call is still alive: its patience is measured from the last it heard. */
const beatMs = 8_000;

/** Progress that beats while nothing else comes; null for a client that did not ask for any. */
export function keepAlive(
  token: string | number | undefined,
  notify: (notification: ProgressNotification) => Promise<void>,
): { readonly report: (progress: number, total: number | null) => void; stop(): void } | null {
  let last = 0;
  const report = relayProgress(token, notify);
  if (report === null) return null;
  const beat = setInterval(() => {
    last += 0.001;
    report(last, null);
  }, beatMs);
  beat.unref();
  return {
    report(progress, total) {
      report(progress, total);
      if (Number.isFinite(progress) && progress > last) last = progress;
    },
    stop: () => clearInterval(beat),
  };
}
