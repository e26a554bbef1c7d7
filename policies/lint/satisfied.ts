import { readsContext } from '../engine/expression.ts';
import { satisfiedLiteral } from '../engine/parse-policies.ts';
import { parseRequirement } from '../requirements.ts';
import { didYouMean } from '../suggest.ts';
import type { Finding, LintRule } from './rule.ts';

const form = '`unless { context.satisfied.contains("<requirement>") }`';

/** `context.satisfied` stands in one form only: then adding to it can only lift forbids, and what a forbid asks is in its text. */
export const satisfied: LintRule = ({ json }) => {
  const findings: Finding[] = [];
  const find = (cause: string, remedy: string) => findings.push({ cause, remedy });
  let asked = 0;
  for (const clause of json.conditions) {
    if (!readsContext(clause.body, 'satisfied')) continue;
    const literal = satisfiedLiteral(clause);
    if (json.effect !== 'forbid' || literal === null) {
      find('`context.satisfied` is read in another way than a forbid may', `Write exactly ${form} on a forbid`);
      continue;
    }
    asked += 1;
    if (parseRequirement(literal) === null) {
      find(
        `\`${literal}\` is not a requirement`,
        /^approval:[^:]+:1(:|$)/.test(literal)
          ? 'One is what it means without a number: leave `:1` out'
          : `Known are \`approval:<group>[:n]\`, \`confirm:sponsor\` and \`redact:<category>\`.${didYouMean(literal, ['confirm:sponsor', literal.replace(/^[^:]*/, 'approval'), literal.replace(/^[^:]*/, 'redact')])}`,
      );
    }
  }
  if (asked > 1) find('A forbid asks for more than one requirement', 'Write one forbid for each');
  return findings;
};
