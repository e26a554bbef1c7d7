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

/** Only votes that a person's own key signed count toward it. */
export function asksPasskey(literal: string): boolean {
  const requirement = parseRequirement(literal);
  return requirement !== null && requirement.kind !== 'redact' && requirement.passkey;
}

/** The same requirement, to be met by signed votes alone; one that no vote meets stays as it is. */
export function withPasskey(requirement: Requirement): Requirement {
  if (requirement.kind === 'redact' || requirement.passkey) return requirement;
  return { ...requirement, passkey: true, literal: `${requirement.literal}:passkey` };
}

/** All literals that distinct valid votes of `group` satisfy, `signed` of them by a passkey: every number up to them. */
export function satisfiedBy(group: string, votes: number, signed = 0): string[] {
  const upTo = (most: number, end: string): string[] =>
    Array.from({ length: most }, (_, i) => (i === 0 ? `approval:${group}${end}` : `approval:${group}:${i + 1}${end}`));
  return [...upTo(votes, ''), ...upTo(signed, ':passkey')];
}

/** True when whoever satisfied `had` has also satisfied `fresh`. */
export function covers(had: Requirement, fresh: Requirement): boolean {
  if (had.literal === fresh.literal) return true;
  if (had.kind === 'confirm') return fresh.kind === 'confirm' && had.passkey;
  return had.kind === 'approval' && fresh.kind === 'approval' && had.group === fresh.group && had.count >= fresh.count && (had.passkey || !fresh.passkey);
}
