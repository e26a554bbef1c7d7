import { stringify } from 'yaml';
import type { Use } from '../../audit/index.ts';
import type { SessionGrant } from '../../store/store.ts';
import type { UseCaseDocument } from '../kinds.ts';
import { calls, oneLine } from './comment.ts';

/**
 * The use case with no more than what was used: its tools, exactly, and counters as high as they came. It never gives more
 * than the document does now, and is not observed any more. Null when nothing that it grants was called.
 */
export function suggestUseCase(document: UseCaseDocument, grants: readonly SessionGrant[], use: Use): string | null {
  const used = grants.filter(({ tool }) => use.tools.has(tool));
  if (used.length === 0) return null;
  const { grants: _, budget, observe_until: observed, expires, review_by, ...head } = document;
  const perDay = Math.min(budget.per_day?.calls ?? use.mostPerDay, use.mostPerDay);
  const narrowed = { ...budget, calls: Math.min(budget.calls, use.mostPerSession), per_day: { ...budget.per_day, calls: perDay } };
  return [
    ...(observed === undefined ? [] : [`# observe_until: ${observed} is left out: to apply this is to enforce policy.`]),
    stringify(head).trimEnd(),
    'grants:',
    ...used.map((grant) => suggestGrant(grant, use)),
    ...unusedLines(grants, use),
    `# In one session at most ${calls(use.mostPerSession)}, in one day at most ${use.mostPerDay}. Amounts are not on the record: their limits stay.`,
    stringify({ budget: narrowed, expires, review_by }),
  ].join('\n');
}

function suggestGrant({ tool, arguments: args, origins, maxCalls }: SessionGrant, use: Use): string {
  const seen = use.tools.get(tool);
  const most = seen?.mostPerSession ?? 0;
  const grant = {
    tool,
    ...(Object.keys(args).length === 0 ? {} : { arguments: args }),
    ...(Object.keys(origins).length === 0 ? {} : { origins }),
    max_calls: Math.min(maxCalls ?? most, most),
  };
  const text = stringify([grant])
    .trimEnd()
    .replace(/^(?=.)/gm, '  ');
  return `  # ${calls(seen?.calls ?? 0)}, at most ${most} in one session\n${text}`;
}

/** Granted and never called: what there is to drop. */
export const unusedGrants = (grants: readonly SessionGrant[], use: Use): string[] => grants.map(({ tool }) => tool).filter((tool) => !use.tools.has(tool));

function unusedLines(grants: readonly SessionGrant[], use: Use): string[] {
  const unused = unusedGrants(grants, use);
  return unused.length === 0 ? [] : [`  # Never called and dropped: ${oneLine(unused.join(', '))}`];
}
