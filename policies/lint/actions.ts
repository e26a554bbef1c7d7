import type { PolicyJson } from '../engine/cedar.ts';
import { actionType, allCalls, upstreamGroup } from '../engine/schema.ts';
import { didYouMean } from '../suggest.ts';
import type { LintRule } from './rule.ts';

/** An action is a tool, an upstream's group or all calls. The engine would suggest `call` for any misspelt tool, which is everything. */
export const actions: LintRule = ({ json }, { tools }) => {
  const known = [...new Set([...tools.flatMap(({ name, upstream }) => [name, upstreamGroup(upstream)]), allCalls])];
  return idsOf(json)
    .filter(({ type, id }) => type === actionType && !known.includes(id))
    .map(({ id }) => ({
      cause: `There is no action \`${id}\``,
      remedy: `Actions are tools by their brokered name, \`upstream:<name>\` and \`${allCalls}\`.${didYouMean(id, known)}`,
    }));
};

function idsOf({ action }: PolicyJson): { readonly type: string; readonly id: string }[] {
  const named = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : [];
  return named.map((entity) => ('__entity' in entity ? entity.__entity : entity));
}
