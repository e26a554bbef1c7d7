import type { CallFacts } from './facts.ts';
import type { Decision, DeterminingPolicy, Requirement } from './vocabulary.ts';
import type { Change, Explanation, FactChange } from './what-if/explanation.ts';
import { wordsFor } from './what-if/fact.ts';

/** An explanation in plain words: what was decided, what it rested on, and what would change it. For people, not for agents. */
export function explainInWords(explanation: Explanation, call: CallFacts): string {
  const { decision, facts, nearest, changes } = explanation;
  const lines = [explainDecision(decision, call)];
  if (facts.length > 0 && decision.decision !== 'allow') {
    lines.push('What was looked at:', ...facts.map(({ fact, value }) => `  ${wordsFor(fact)}: ${value ?? 'not given'}`));
  }
  if (nearest.length > 0) {
    lines.push('The permits that come nearest, and what of them does not hold:');
    for (const { id, fails } of nearest) lines.push(`  ${id}`, ...fails.map((fail) => `    ${fail}`));
  }
  const facets = changes.filter((change) => !isRequirement(change));
  if (facets.length > 0) lines.push('What would change the outcome, each tried:', ...facets.map(inPlain));
  else if (decision.decision === 'deny' && (decision.cause === 'forbidden' || decision.cause === 'no_permit')) {
    lines.push('No single one of these facts would change the outcome, as far as was tried.');
  }
  return lines.join('\n');
}

/** What is asked for is told before. */
const isRequirement = ({ facts }: Change): boolean => facts.every(({ fact }) => fact === 'context.satisfied');

function inPlain({ facts, decision, requirements }: Change): string {
  const outcome = decision === 'allow' ? 'it would be allowed' : `it would wait for ${requirements.join(' and ')}`;
  return `  if ${facts.map(ifOnly).join(', and ')}: ${outcome}`;
}

function ifOnly({ fact, from, to }: FactChange): string {
  const words = wordsFor(fact);
  if (words.startsWith('whether ')) return `it were ${to === 'true' ? '' : 'not '}so that ${words.slice('whether '.length)}`;
  return to === null ? `${words} were left out` : `${words} were ${to}${from === null ? '' : ` instead of ${from}`}`;
}

/** What was decided about a call, in plain words: by which policies, and what would have to change. For people, not for agents. */
export function explainDecision(decision: Decision, facts: CallFacts): string {
  const call = `${facts.agent.tenant}/${facts.agent.name} calling ${facts.tool.name} for ${facts.sponsor.person}`;
  return [`${verdict(decision)}: ${call}.`, ...decision.policies.map(line), ...whatWouldChange(decision, facts)].join('\n');
}

function verdict(decision: Decision): string {
  switch (decision.decision) {
    case 'allow':
      return 'Allowed';
    case 'require':
      return 'Waits for a human';
    case 'deny':
      return 'Denied';
  }
}

const line = ({ id, reason }: DeterminingPolicy): string => `  ${id}${reason === null ? '' : `: ${reason}.`}`;

function whatWouldChange(decision: Decision, facts: CallFacts): string[] {
  switch (decision.decision) {
    case 'allow':
      return [];
    case 'require':
      return [
        'It may run once this is satisfied for exactly this call:',
        ...decision.requirements.map((requirement) => `  ${inWords(requirement)}`),
        ...(decision.expiresIn === null ? [] : [`An answer must come within ${decision.expiresIn} seconds.`]),
      ];
    case 'deny':
      return [denial(decision, facts)];
  }
}

function denial({ cause, detail, policies }: Extract<Decision, { decision: 'deny' }>, { tenant, agent, tool }: CallFacts): string {
  switch (cause) {
    case 'forbidden':
      return `No human can lift this for one call: what ${policies.length === 1 ? 'this policy forbids' : 'these policies forbid'} has to stop being so.`;
    case 'no_permit':
      return `No policy of ${tenant} permits it: a permit for workflow "${agent.workflow}" whose action covers ${tool.name} would have to hold.`;
    case 'unrepresentable':
      return `A value that policy reads does not fit its type (${detail ?? 'no detail'}): the call has to send one that does, exactly.`;
    case 'error':
      return `The law could not be applied, so it denies (${detail ?? 'no detail'}).`;
  }
}

function inWords(requirement: Requirement): string {
  const key = requirement.kind !== 'redact' && requirement.passkey ? ', with a passkey' : '';
  switch (requirement.kind) {
    case 'approval':
      return `${requirement.count === 1 ? 'one reviewer' : `${requirement.count} different reviewers`} of ${requirement.group} approve${requirement.count === 1 ? 's' : ''}${key}`;
    case 'confirm':
      return `the sponsor confirms${key}`;
    case 'redact':
      return `${requirement.category} is taken out of the result`;
  }
}
