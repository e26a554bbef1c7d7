import type { TargetType } from '../../policies/index.ts';
import { canonicalForm, tenThousandths } from '../../tools/index.ts';
import type { SessionGrant } from '../store/store.ts';

type Arguments = Readonly<Record<string, unknown>>;
interface Known {
  readonly targets: Readonly<Record<string, TargetType>>;
  readonly grants: readonly Pick<SessionGrant, 'arguments'>[];
}

/**
 * Why edited arguments do more than take away from what was asked; null when they only do. An amount may go down, a list of targets
 * may lose some, a text may lose parts, a number may move away from where its grant bounds it; whom or what it lands on stays, and so
 * does everything nobody here knows the meaning of: leaving an argument out may well do more.
 */
export function whyNotNarrower(known: Known, before: Arguments, after: Arguments): string | null {
  for (const name of Object.keys(after)) if (!Object.hasOwn(before, name)) return `${name} was not asked for`;
  for (const [name, was] of Object.entries(before)) {
    if (!Object.hasOwn(after, name)) return `${name} cannot be left out`;
    const is = after[name];
    if (canonicalForm(was) !== canonicalForm(is) && !isLess(known, name, was, is)) return `${name} can only be narrowed`;
  }
  return null;
}

function isLess({ targets, grants }: Known, name: string, was: unknown, is: unknown): boolean {
  const type = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (type === 'amount') return (tenThousandths(is) ?? Number.POSITIVE_INFINITY) <= (tenThousandths(was) ?? Number.NEGATIVE_INFINITY);
  if (Array.isArray(was) && Array.isArray(is)) return type !== undefined && is.length > 0 && isWithin(was.map(canonicalForm), is.map(canonicalForm));
  if (type !== undefined && type !== 'text') return false;
  if (typeof was === 'string' && typeof is === 'string') return is !== '' && (was.includes(is) || isWithin(was.split('\n'), is.split('\n')));
  if (typeof was !== 'number' || typeof is !== 'number') return false;
  const constraints = grants.flatMap((grant) => (Object.hasOwn(grant.arguments, name) ? [grant.arguments[name] ?? {}] : []));
  const says = (...keywords: string[]): boolean => constraints.some((one) => keywords.some((keyword) => keyword in one));
  if (says('maximum', 'exclusiveMaximum')) return is < was;
  return says('minimum', 'exclusiveMinimum') && is > was;
}

/** What is left stands in the same order. */
function isWithin(whole: readonly string[], part: readonly string[]): boolean {
  let from = 0;
  return part.every((one) => {
    from = whole.indexOf(one, from) + 1;
    return from > 0;
  });
}
