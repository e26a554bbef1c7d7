import type { Label } from '../../policies/index.ts';
import type { Raw } from './invoke.ts';

declare const labelled: unique symbol;

/** Evidence that what came back carries its label; it may be released once that label stands in the lineage. */
export interface Labelled {
  readonly [labelled]: true;
  readonly raw: Raw;
  /** What it adds to the lineage; null when nothing of upstream origin came back. */
  readonly label: Label | null;
}

/** Everything of upstream origin carries the tool's label; that a call failed, and how, is of upstream origin too once it was sent. */
export function labelResult(raw: Raw): Labelled {
  const label = raw.outcome.kind === 'result' || raw.outcome.sent ? raw.claimed.credential.warrant.judgement.tool.tool.label : null;
  return { raw, label } as Omit<Labelled, typeof labelled> as Labelled;
}
