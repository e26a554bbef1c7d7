/** One thing the doctor looked at. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'bad';
  readonly finding: string;
  readonly remedy: string | null;
}

export const finding = (check: string, state: Finding['state'], words: string, remedy: string | null = null): Finding => ({
  check,
  state,
  finding: words,
  remedy,
});
