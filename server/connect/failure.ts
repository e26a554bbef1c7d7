/** How a command ends, as shells and scripts read it. */
export const exits = { ok: 0, failure: 1, usage: 2, check: 3, refused: 4, pending: 5 } as const;
export type Exit = (typeof exits)[keyof typeof exits];

/** Something a person has to know: what is wrong, what to do about it, and how the process ends. Never carries a secret. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly remedy: string | null;
  readonly exit: Exit;
  /** Stable code of the broker's answer, when it gave one. */
  readonly code: string | null;

  constructor(message: string, more: { remedy?: string; exit?: Exit; code?: string; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.remedy = more.remedy ?? null;
    this.exit = more.exit ?? exits.failure;
    this.code = more.code ?? null;
  }
}

export const usage = (message: string, remedy?: string): Failure => new Failure(message, { exit: exits.usage, ...(remedy === undefined ? {} : { remedy }) });
