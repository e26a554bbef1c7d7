import { dominates } from '../../../policies/index.ts';
import { compileSchema } from '../../../tools/index.ts';
import { typedConstraint } from '../../documents/typed-constraint.ts';
import type { Person } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import type { ApprovalRow, SessionView, Vote } from '../../store/store.ts';
import { openProposal, type Proposal } from '../proposal.ts';
import { type ApprovalRefusal, refuseApproval } from '../refusals.ts';
import { seeApproval } from '../see.ts';
import { exactly, whyUnconstrained } from './constraints.ts';
import { type StandingContent, sealStanding } from './content.ts';
import type { StandingGiven } from './propose.ts';
import { inGroup } from './see.ts';

export interface RememberRequest {
  readonly approval: string;
  /** Of the proposal the person approved. */
  readonly digest: string;
  /** Constraints the person chose, in the language of grants; null remembers exactly these arguments. */
  readonly arguments: Readonly<Record<string, Readonly<Record<string, unknown>>>> | null;
  readonly maxCalls: number | null;
}

/**
 * A reviewer's answer to a call, kept for others like it in the same session. It counts once as many people as the requirement asks
 * for remember the same. Never for a whole tool, never for what is destructive, never once external content has been read.
 */
export async function rememberAnswer(
  ports: Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys' | 'newId'>,
  person: Person,
  request: RememberRequest,
): Promise<StandingGiven> {
  const seen = await seeApproval(ports, person, request.approval);
  if (!seen) return refuseApproval('approval.not_found');
  const { row, snapshot, standing, at } = seen;
  const vote = row.votes.find((one) => one.person === person.id && one.decision === 'approve');
  if (!vote || !inGroup(standing, vote.requirement) || seen.excluded) return refuseApproval('remember.not_yours');
  if (seen.tooRecent) return refuseApproval('approval.too_recent');
  if (request.digest !== row.digest) return refuseApproval('approval.digest_mismatch');
  if (row.proposal.length === 0 || !['pending', 'approved', 'used'].includes(row.status)) return refuseApproval('approval.not_open');
  const view = await ports.store.readSession(row.tenant, row.session);
  const shown = openProposal(ports, row);
  const tool = snapshot.tools.get(row.tool);
  const never = whyNever(row, shown, view);
  if (!view || never) return never ?? refuseApproval('approval.not_found');
  if (tool?.digest !== shown.tool_digest) return refuseApproval('standing.invalid', 'the tool is another one by now.');

  const constraints = request.arguments ?? exactly(shown.arguments);
  const why = request.arguments === null ? null : whyNotOfThisCall(request.arguments, shown, Object.keys(shown.inputs));
  if (why !== null) return refuseApproval('standing.invalid', `${why}.`);
  const content: StandingContent = {
    ...{ tenant: row.tenant, id: null, kind: 'remembered', requirement: vote.requirement, tool: row.tool, tool_digest: shown.tool_digest },
    ...{ use_case: view.session.useCase, session: row.session, agent: row.agent, arguments: constraints as StandingContent['arguments'] },
    ...{ max_calls: request.maxCalls, max_amount: null, per_day: { calls: null, amount: null }, max_label: shown.label },
    ...{ reason: null, author: null, review_by: null, ends_at: view.session.expiresAt },
  };
  return give(ports, content, vote, snapshot.revision, at);
}

async function give(
  ports: Pick<Ports, 'store' | 'keys' | 'newId'>,
  content: StandingContent,
  vote: Vote,
  revision: number,
  at: number,
): Promise<StandingGiven> {
  const { digest, sealed } = sealStanding(ports, content);
  const { tenant, requirement, tool, use_case: useCase, session, ends_at: endsAt } = content;
  const answer = await ports.store.proposeStanding(
    {
      id: ports.newId('sta'),
      tenant,
      kind: 'remembered',
      requirement,
      tool,
      useCase,
      session,
      digest,
      sealed,
      author: vote.person,
      createdAt: at,
      expiresAt: endsAt,
      endsAt,
    },
    revision,
    { person: vote.person, name: vote.name, decision: 'approve', reason: vote.reason, at },
  );
  if (answer.done) return { ok: true, standing: answer.standing };
  switch (answer.why) {
    case 'too_many':
      return refuseApproval('standing.too_many');
    case 'already_voted':
      return refuseApproval('approval.already_voted');
    case 'revision':
      return refuseApproval('stale');
    default:
      return refuseApproval('approval.not_open');
  }
}

function whyNever(row: ApprovalRow, shown: Proposal, view: SessionView | null): ApprovalRefusal | null {
  if (row.terms.effect === 'destructive' || shown.effect === 'destructive') return refuseApproval('remember.destructive');
  if (shown.label.integrity === 'external' || view?.label.integrity === 'external') return refuseApproval('remember.external');
  return view && dominates(shown.label, view.label) ? null : refuseApproval('remember.external');
}

/** Chosen constraints must speak of every argument there was, and fit it. */
function whyNotOfThisCall(chosen: NonNullable<RememberRequest['arguments']>, shown: Proposal, inputs: readonly string[]): string | null {
  const loose = whyUnconstrained(chosen, Object.keys(shown.arguments), inputs);
  if (loose !== null) return loose;
  for (const [name, value] of Object.entries(shown.arguments)) {
    const constraint = Object.hasOwn(chosen, name) ? chosen[name] : undefined;
    if (!constraint) return `${name} is not constrained`;
    if ('from' in constraint) continue;
    const compiled = compileSchema(typedConstraint(constraint));
    if ('unsupported' in compiled || compiled.check(value).length > 0) return `${name}: the call you approved does not fit it`;
  }
  return null;
}
