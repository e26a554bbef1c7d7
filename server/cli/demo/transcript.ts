import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { paint, plain } from '../print.ts';

/** What stops the demo: something else happened than the story says. */
export class Surprise extends Error {
  override readonly name = 'Surprise';
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: unknown) {
    super(`expected ${expected}`);
    this.expected = expected;
    this.seen = plain(seen);
  }
}

/** Goes on only when `holds`; `seen` is what is shown otherwise. */
export function expect(holds: boolean, expected: string, seen: unknown): asserts holds {
  if (!holds) throw new Surprise(expected, seen);
}

export function expectEqual(seen: unknown, expected: unknown, what: string): void {
  expect(isDeepStrictEqual(seen, expected), `${what}: ${plain(expected)}`, seen);
}

export interface Step {
  readonly chapter: string;
  readonly step: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly note?: string;
  readonly expected?: string;
  readonly seen?: string;
}

export interface Transcript {
  readonly steps: readonly Step[];
  chapter(title: string): void;
  /** Plays one step; what it answers as `note` stands beside it. Throws on, once it is written down. */
  step<T>(words: string, play: () => Promise<T>, note?: (result: T) => string): Promise<T>;
}

/** Written as it goes: to people a line a step, to machines nothing until the end. */
export function openTranscript(quiet: boolean): Transcript {
  const steps: Step[] = [];
  let chapter = '';
  const say = (line: string): void => void (quiet || process.stdout.write(`${line}\n`));

  return {
    steps,
    chapter(title) {
      chapter = title;
      say(`\n${paint('bold', title)}`);
    },
    async step(words, play, note) {
      const began = performance.now();
      const took = (): number => Math.round(performance.now() - began);
      const waiting = !quiet && process.stdout.isTTY;
      if (waiting) process.stdout.write(`  … ${words}`);
      const clear = waiting ? '\r\u001b[2K' : '';
      try {
        const result = await play();
        const told = note?.(result);
        steps.push({ chapter, step: words, ok: true, ms: took(), ...(told === undefined ? {} : { note: told }) });
        say(`${clear}  ${paint('green', '✓')} ${words} ${paint('dim', `${took()} ms`)}${told === undefined ? '' : `\n      ${paint('dim', plain(told))}`}`);
        return result;
      } catch (error) {
        const [expected, seen] =
          error instanceof Surprise ? [error.expected, error.seen] : ['no error', error instanceof Error ? error.message : String(error)];
        steps.push({ chapter, step: words, ok: false, ms: took(), expected, seen });
        say(`${clear}  ${paint('red', '✗')} ${words} ${paint('dim', `${took()} ms`)}\n      expected ${expected}\n      seen     ${seen}`);
        throw error;
      }
    },
  };
}
