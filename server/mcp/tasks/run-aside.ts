import type { Attempt, Session, TaskName } from '../../call/index.ts';
import type { Ports } from '../../ports.ts';
import type { TaskVerbs } from '../parts.ts';

export interface Kept {
  readonly kind: 'kept';
  readonly name: TaskName;
}

/** A call that may outlive the request it came in. */
export interface Aside<T> {
  readonly answer: Promise<T>;
  /** Resolves once it answers as a task, and with what that is to be called; never, when it ends before. */
  readonly kept: Promise<Kept>;
}

/**
 * Runs a call that becomes a task when it has not ended `patienceMs` after it was sent. Until then it is its client's, and ends when
 * that goes away; from then on it ends when it is cancelled, on whichever replica that is heard.
 */
export function runAside<T>(
  ports: Ports,
  session: Session,
  tasks: Pick<TaskVerbs, 'keep'>,
  client: AbortSignal,
  patienceMs: number,
  run: (signal: AbortSignal, begun: (attempt: Attempt) => Promise<void>) => Promise<T>,
): Aside<T> {
  const { tenant } = session.row;
  const stop = new AbortController();
  const leave = (): void => stop.abort(client.reason);
  client.addEventListener('abort', leave, { once: true });
  if (client.aborted) leave();

  const kept = Promise.withResolvers<Kept>();
  const ends: (() => void)[] = [() => client.removeEventListener('abort', leave)];
  const keep = async (attempt: Attempt): Promise<void> => {
    const name = await tasks.keep(ports, session, attempt);
    // Who has gone already has been told nothing that could be asked for.
    if (name === null || stop.signal.aborted) return;
    client.removeEventListener('abort', leave);
    kept.resolve({ kind: 'kept', name });
  };
  const heedCancelling = ({ dispatch }: Attempt): (() => void) =>
    ports.store.subscribe((told) => {
      if (told.kind !== 'resync' && !(told.kind === 'call' && told.tenant === tenant && told.id === dispatch)) return;
      ports.store.readDispatch(tenant, dispatch).then(
        (row) => row?.cancelledAt != null && stop.abort(new Error('cancelled by the client')),
        (error: unknown) => ports.log.debug({ err: error, dispatch }, 'whether a task was cancelled could not be read'),
      );
    });

  const answer = run(stop.signal, async (attempt) => {
    ends.push(heedCancelling(attempt));
    // Whoever is to be told of nothing but a task has one before anything is sent.
    if (patienceMs <= 0) return keep(attempt);
    const timer = setTimeout(() => keep(attempt).catch((error: unknown) => ports.log.warn({ err: error }, 'a call could not become a task')), patienceMs);
    ends.push(() => clearTimeout(timer));
  }).finally(() => {
    for (const end of ends) end();
  });
  // Whoever waits hears of it; when nobody does any more it is on the record.
  answer.catch((error: unknown) => ports.log.error({ err: error }, 'a call that ran as a task ended in an exception'));
  return { answer, kept: kept.promise };
}
