import type { SessionGrant } from '../store/store.ts';
import { type ChangeEffect, type Difference, same } from './effects.ts';
import type { ArgumentConstraint } from './kinds.ts';

/** Differences between what two versions of a use case grant, tool by tool. */
export function compareGrants(before: readonly SessionGrant[], after: readonly SessionGrant[]): Difference[] {
  const [a, b] = [before, after].map((grants) => new Map(grants.map((grant) => [grant.tool, grant])));
  return [...new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])].sort().flatMap((tool): Difference[] => {
    const [was, is] = [a?.get(tool), b?.get(tool)];
    if (!was) return [{ text: `grants ${tool}`, effect: 'widens' }];
    if (!is) return [{ text: `no longer grants ${tool}`, effect: 'narrows' }];
    return compareGrant(tool, was, is);
  });
}

function compareGrant(tool: string, was: SessionGrant, is: SessionGrant): Difference[] {
  const differences: Difference[] = [];
  const say = (what: string, effect: ChangeEffect): void => void differences.push({ text: `${tool}: ${what}`, effect });
  if (was.digest !== is.digest) say('another definition', 'widens');
  if (was.maxCalls !== is.maxCalls) {
    const effect = (is.maxCalls ?? Number.POSITIVE_INFINITY) < (was.maxCalls ?? Number.POSITIVE_INFINITY) ? 'narrows' : 'widens';
    say(`max_calls ${was.maxCalls ?? 'not set'} → ${is.maxCalls ?? 'not set'}`, effect);
  }
  for (const argument of names(was.arguments, is.arguments)) {
    const [old, fresh] = [own(was.arguments, argument), own(is.arguments, argument)];
    if (same(old, fresh)) continue;
    if (!old) say(`${argument} constrained`, 'narrows');
    else if (!fresh) say(`${argument} no longer constrained`, 'widens');
    else say(`${argument} constrained otherwise`, tightens(old, fresh) ? 'narrows' : 'widens');
  }
  for (const target of names(was.origins, is.origins)) {
    const [old, fresh] = [own(was.origins, target) ?? [], own(is.origins, target) ?? []];
    for (const origin of fresh) if (!old.includes(origin)) say(`${target} may come from ${origin}`, 'widens');
    for (const origin of old) if (!fresh.includes(origin)) say(`${target} may no longer come from ${origin}`, 'narrows');
  }
  return differences;
}

const names = (a: object, b: object): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(record, name) ? record[name] : undefined);

const lowers = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const raises = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];

/** True only when every difference plainly takes values away: bounds that close in, or an `enum` that lost members. */
function tightens(old: ArgumentConstraint, fresh: ArgumentConstraint): boolean {
  if ('from' in old || 'from' in fresh) return false;
  const [a, b] = [old as Readonly<Record<string, unknown>>, fresh as Readonly<Record<string, unknown>>];
  return names(a, b).every((keyword) => {
    const [was, is] = [own(a, keyword), own(b, keyword)];
    if (same(was, is)) return true;
    if (lowers.includes(keyword)) return typeof is === 'number' && (was === undefined || (typeof was === 'number' && is < was));
    if (raises.includes(keyword)) return typeof is === 'number' && (was === undefined || (typeof was === 'number' && is > was));
    if (keyword === 'enum' && Array.isArray(is)) return was === undefined || (Array.isArray(was) && is.every((value) => was.some((one) => same(one, value))));
    return false;
  });
}
