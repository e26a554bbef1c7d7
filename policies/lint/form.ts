import { secondsOf } from '../durations.ts';
import { depthOf } from '../engine/expression.ts';
import { didYouMean } from '../suggest.ts';
import type { Finding, LintRule } from './rule.ts';

const annotations = new Set(['id', 'reason', 'expires', 'break_glass', 'accepts']);
/** The engine reads trees back from JSON to a depth of 127, two levels an operator. */
const deepest = 50;
const day = 86_400;

/** Ids, annotations and size: what makes a policy readable, traceable and safe to hold. */
export const form: LintRule = ({ id, json, reason, requirement, breakGlass }, { prefix, effects }) => {
  const findings: Finding[] = [];
  const find = (cause: string, remedy: string) => findings.push({ cause, remedy });
  if (!id.startsWith(`${prefix}/`) || !/^[a-z0-9][a-z0-9-]{0,79}$/.test(id.slice(prefix.length + 1))) {
    find(`The id is not \`${prefix}/\` and a name`, `Name it \`@id("${prefix}/…")\`, with lower-case letters, digits and hyphens`);
  }
  for (const name of Object.keys(json.annotations ?? {})) {
    if (!annotations.has(name))
      find(
        `The annotation \`@${name}\` is not known`,
        `Known are ${[...annotations].map((known) => `@${known}`).join(', ')}.${didYouMean(name, [...annotations])}`,
      );
  }
  if (json.effect === 'forbid' && !reason?.trim())
    find('A forbid has no `@reason`', 'Say in a sentence what is not allowed; the agent and the reviewer read it');
  if ((reason?.length ?? 0) > 300) find('The `@reason` is longer than 300 characters', 'Keep it to a sentence or two');
  if (effects === 'forbids' && json.effect !== 'forbid') find('A platform rule permits', 'The platform only forbids; permits are the tenant’s');
  if (json.annotations && 'expires' in json.annotations) {
    const seconds = secondsOf(json.annotations['expires'] ?? '');
    if (seconds === null || seconds > day) find('`@expires` is not a duration of at most 24 h', 'Write it as `@expires("30m")`');
    if (!requirement) find('`@expires` on a policy that asks nobody', 'It says how long an approval may be waited for: put it on the forbid that asks for one');
  }
  if (breakGlass) {
    if (json.annotations?.['break_glass']) find('`@break_glass` has a value', 'Write it without one');
    if (effects === 'forbids') find('A platform rule is marked `@break_glass`', 'What the platform holds is held in an emergency too');
    if (!requirement || requirement.kind === 'redact')
      find(
        '`@break_glass` on a policy that asks no people',
        'It stands in for the people a forbid asks: put it on a forbid with `approval:…` or `confirm:sponsor`',
      );
  }
  if (json.annotations && 'accepts' in json.annotations) {
    if (json.annotations['accepts'] !== 'standing') find('`@accepts` says something other than `standing`', 'Write `@accepts("standing")`');
    if (requirement?.kind !== 'approval' || requirement.passkey) {
      find('`@accepts` on a policy that asks for no approval that can stand', 'Put it on a forbid that asks `approval:<group>[:n]`, without `:passkey`');
    }
  }
  if (json.conditions.some(({ body }) => depthOf(body) > deepest)) find(`A condition nests deeper than ${deepest} operators`, 'Split the policy');
  return findings;
};
