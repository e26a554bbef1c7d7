import type { CallFacts } from './facts.ts';
import type { Decision, DeterminingPolicy, Requirement } from './vocabulary.ts';

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
