/** Why a schema cannot be used, for whoever registers the tool. */
export class UnsupportedSchema extends Error {
  override readonly name = 'UnsupportedSchema';
  readonly remedy: string;

  /** `at` is the JSON Pointer of the place. */
  constructor(at: string, reason: string, remedy: string) {
    super(`${at === '' ? 'at the top' : `at ${at}`}: ${reason}`);
    this.remedy = remedy;
  }
}
