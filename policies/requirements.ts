import type { Requirement } from './vocabulary.ts';

const approval = /^approval:([a-z][a-z0-9-]{0,31})(?::([2-9]|[1-9][0-9]))?(:passkey)?$/;
const confirm = /^confirm:sponsor(:passkey)?$/;
const redact = /^redact:([a-z][a-z0-9-]{0,31})$/;

/** Reads one literal of `context.satisfied`; null when it is not a requirement Taskgate knows (`:1` included: leave it out). */
export function parseRequirement(literal: string): Requirement | null {
  const approve = approval.exec(literal);
  if (approve?.[1]) {
    return { kind: 'approval', group: approve[1], count: Number(approve[2] ?? 1), passkey: approve[3] !== undefined, literal };
  }
  const confirmed = confirm.exec(literal);
  if (confirmed) return { kind: 'confirm', passkey: confirmed[1] !== undefined, literal };
  const redacted = redact.exec(literal);
  if (redacted?.[1]) return { kind: 'redact', category: redacted[1], literal };
  return null;
}

/** All literals that `votes` distinct valid votes of `group` satisfy: every number up to them. */
export function satisfiedBy(group: string, votes: number): string[] {
  return Array.from({ length: votes }, (_, i) => (i === 0 ? `approval:${group}` : `approval:${group}:${i + 1}`));
}

/** True when whoever satisfied `had` has also satisfied `fresh`. */
export function covers(had: Requirement, fresh: Requirement): boolean {
  if (had.literal === fresh.literal) return true;
  return had.kind === 'approval' && fresh.kind === 'approval' && had.group === fresh.group && had.count >= fresh.count && (had.passkey || !fresh.passkey);
}
