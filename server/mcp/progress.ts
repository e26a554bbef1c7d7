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
