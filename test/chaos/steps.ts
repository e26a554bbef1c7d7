import { AsyncLocalStorage } from 'node:async_hooks';
import { StatementSync } from 'node:sqlite';
import pg from 'pg';
import type { Ports } from '../../server/ports.ts';
import type { Store } from '../../server/store/index.ts';

/** Where a broker dies: before or after the n-th time it takes a step, or before or after one statement of that step. */
export interface Point {
  /** A verb of the store, `claim.durable`, or `upstream.<connect|definitions|call>`. */
  readonly step: string;
  /** From 1, counted since it was armed. */
  readonly n: number;
  /** From 1: a statement the verb sends to its store, `BEGIN` and `COMMIT` included; null for the step as a whole. */
  readonly statement: number | null;
  readonly when: 'before' | 'after';
}

/** One step as it was taken, with how many statements it sent. */
export interface Taken {
  readonly step: string;
  readonly n: number;
  statements: number;
}

export interface Steps {
  around(edges: Pick<Ports, 'store' | 'upstreams'>): Pick<Ports, 'store' | 'upstreams'>;
  /** Counts from here; `point` is where `die` is called, null to only look on. */
  arm(point: Point | null): void;
  /** What was taken since it was armed. */
  taken(): readonly Taken[];
}

/** Watches every step a broker takes at its store and its upstreams, and every statement of each. `die` does not return. */
export function watchSteps(die: () => void): Steps {
  const within = new AsyncLocalStorage<Taken>();
  let armed: Point | null = null;
  let counts = new Map<string, number>();
  let seen: Taken[] = [];

  const reach = (taken: Taken, statement: number | null, when: Point['when']): void => {
    if (armed?.step === taken.step && armed.n === taken.n && armed.statement === statement && armed.when === when) die();
  };
  function take<T>(step: string, run: () => Promise<T>): Promise<T> {
    const n = (counts.get(step) ?? 0) + 1;
    counts.set(step, n);
    const taken: Taken = { step, n, statements: 0 };
    seen.push(taken);
    reach(taken, null, 'before');
    const answer = within.run(taken, run);
    // What is answered at once, such as a subscription, touches nothing.
    if (!(answer instanceof Promise)) return answer;
    return answer.then((value) => {
      reach(taken, null, 'after');
      return value;
    });
  }
  watchStatements((send, soon) => {
    const taken = within.getStore();
    if (!taken) return send();
    const statement = ++taken.statements;
    reach(taken, statement, 'before');
    const answer = send();
    soon(() => reach(taken, statement, 'after'));
    return answer;
  });

  return {
    around({ store, upstreams }) {
      const verbs = Object.entries(store).map(([verb, run]) => [verb, (...given: unknown[]) => take(verb, () => (run as Run)(...given))]);
      const watched = { ...(Object.fromEntries(verbs) as unknown as Store), close: () => store.close() };
      return {
        store: {
          ...watched,
          async claim(request) {
            const { answer, durable } = await watched.claim(request);
            return { answer, durable: take('claim.durable', () => durable) };
          },
        },
        upstreams: {
          close: () => upstreams.close(),
          async connect(key, target) {
            const connection = await take('upstream.connect', () => upstreams.connect(key, target));
            return {
              definitions: () => take('upstream.definitions', () => connection.definitions()),
              call: (call) => take('upstream.call', () => connection.call(call)),
              close: () => connection.close(),
            };
          },
        },
      };
    },
    arm(point) {
      armed = point;
      counts = new Map();
      seen = [];
    },
    taken: () => seen,
  };
}

type Run = (...given: unknown[]) => Promise<unknown>;
/** `soon` is for what comes once the statement is on its way: at once for SQLite, after the socket was written for PostgreSQL. */
type Between = (send: () => unknown, soon: (then: () => void) => void) => unknown;

/** Both drivers have one narrow place that every statement goes through. */
function watchStatements(between: Between): void {
  for (const name of ['run', 'get', 'all'] as const) {
    const original = StatementSync.prototype[name] as (...given: unknown[]) => unknown;
    (StatementSync.prototype as unknown as Record<string, unknown>)[name] = function (this: StatementSync, ...given: unknown[]) {
      return between(
        () => original.apply(this, given),
        (then) => then(),
      );
    };
  }
  const query = pg.Client.prototype.query as (...given: unknown[]) => unknown;
  (pg.Client.prototype as unknown as Record<string, unknown>)['query'] = function (this: pg.Client, ...given: unknown[]) {
    const send = (): unknown => query.apply(this, given);
    // A verb's statements are prepared under a name; the others belong to the making of a connection.
    return typeof given[0] === 'object' && given[0] !== null && 'name' in given[0] ? between(send, queueMicrotask) : send();
  };
}
