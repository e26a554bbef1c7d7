import type { Change } from '../signals.ts';
import { StoreUnavailable } from '../store.ts';
import { type Statement, Undo, type Verb } from '../verb.ts';
import { TryAgain } from './failures.ts';
import { type Link, NoRow } from './link.ts';

/** How a verb ended inside a transaction that was committed, or that had nothing to commit. */
export type Outcome = { readonly answer: unknown } | { readonly error: unknown };

interface Ended {
  readonly outcome: Outcome;
  /** What it wrote must not stay. */
  readonly takenBack: boolean;
  /** What it changed, to be told once it is committed. */
  readonly changes: readonly Change[];
}

/** A verb on its way: what it asks next, until it has ended. */
interface Course {
  readonly verb: Verb<unknown>;
  readonly changes: Change[];
  asks: readonly Statement[] | null;
  ended: Ended | null;
}

/** Runs one verb; nothing is taken back here. */
export async function runAlone(link: Link, verb: () => Verb<unknown>): Promise<Ended> {
  const course = start(verb);
  while (course.asks) {
    const answers = await askFor(link, course.asks);
    if ('fault' in answers) end(course, { error: answers.fault }, true);
    else advance(course, answers.all);
  }
  return endOf(course);
}

/**
 * Runs verbs one after the other, each in a savepoint of its own, so that what one refuses or breaks is taken back without the others.
 * Most end with their second step: with it goes the first of the verb behind, which then costs no exchange of its own. When the one
 * before does not end there after all, or is taken back, what the one behind was told is not true; it is taken back and begun again.
 */
export async function runInTurn(link: Link, verbs: readonly (() => Verb<unknown>)[]): Promise<Ended[]> {
  const ended: Ended[] = [];
  let begun: Course | null = null;
  for (const [index, verb] of verbs.entries()) {
    const [here, there] = index % 2 === 0 ? (['even', 'odd'] as const) : (['odd', 'even'] as const);
    if (!begun) link.tell(`SAVEPOINT ${here}`);
    const { course, ahead } = await runBesides(link, { verb, begun, next: verbs[index + 1] ?? null, here, there });
    ended.push(endOf(course));
    begun = ahead;
  }
  return ended;
}

interface Turn {
  readonly verb: () => Verb<unknown>;
  /** The verb with its first step answered. */
  readonly begun: Course | null;
  readonly next: (() => Verb<unknown>) | null;
  /** The savepoints of both. Two names do: the innermost of a name is meant. */
  readonly here: string;
  readonly there: string;
}

async function runBesides(link: Link, { verb, begun, next, here, there }: Turn): Promise<{ course: Course; ahead: Course | null }> {
  let course = begun ?? start(verb);
  let isFirst = begun === null;
  let mayLookAhead = true;
  while (course.asks) {
    const ahead = mayLookAhead && !isFirst && next ? start(next) : null;
    const behind: readonly Statement[] = ahead?.asks ? [{ want: 'run', text: `SAVEPOINT ${there}`, values: [] }, ...ahead.asks] : [];
    const answers = await askFor(link, [...course.asks, ...behind]);
    isFirst = false;
    if ('fault' in answers) {
      if (behind.length === 0) {
        end(course, { error: answers.fault }, true);
        break;
      }
      // Whose statement it was is not known: the verb goes again from its start, alone.
      link.tell(`ROLLBACK TO SAVEPOINT ${here}`);
      course = start(verb);
      mayLookAhead = false;
      continue;
    }
    const own = course.asks.length;
    advance(course, answers.all.slice(0, own));
    if (!ahead || behind.length === 0) continue;
    if (course.asks) takeBack(link, there);
    else if (!endOf(course).takenBack) {
      advance(ahead, answers.all.slice(own + 1));
      // Its savepoint stands inside this one's, which stays open with it to the end.
      return { course, ahead };
    }
  }
  if (endOf(course).takenBack) takeBack(link, here);
  else link.tell(`RELEASE SAVEPOINT ${here}`);
  return { course, ahead: null };
}

function takeBack(link: Link, place: string): void {
  link.tell(`ROLLBACK TO SAVEPOINT ${place}`);
  link.tell(`RELEASE SAVEPOINT ${place}`);
}

function start(verb: () => Verb<unknown>): Course {
  const course: Course = { verb: verb(), changes: [], asks: null, ended: null };
  advance(course, []);
  return course;
}

function advance(course: Course, answers: readonly unknown[]): void {
  for (const one of course.asks ?? []) if (one.want === 'signal') course.changes.push(one.change);
  try {
    const step = course.verb.next(answers);
    if (step.done) end(course, { answer: step.value }, false);
    else course.asks = step.value;
  } catch (error) {
    end(course, error instanceof Undo ? { answer: error.answer } : { error }, true);
  }
}

function end(course: Course, outcome: Outcome, takenBack: boolean): void {
  course.asks = null;
  // What is taken back has not happened.
  course.ended = { outcome, takenBack, changes: takenBack ? [] : course.changes };
}

function endOf({ ended }: Course): Ended {
  if (!ended) throw new Error('a verb that has not ended');
  return ended;
}

/** What spoils the whole transaction is thrown; what a statement alone did wrong is answered. */
async function askFor(link: Link, statements: readonly Statement[]): Promise<{ readonly all: unknown[] } | { readonly fault: unknown }> {
  try {
    return { all: await link.ask(statements) };
  } catch (error) {
    if (error instanceof StoreUnavailable || error instanceof TryAgain || error instanceof NoRow) throw error;
    return { fault: error };
  }
}
