import { covers, parseRequirement } from '../../policies/index.ts';
import { canonicalForm } from '../../tools/index.ts';
import {
  type ApprovalRefusal,
  type ApprovalSummary,
  openProposal,
  type Proposal,
  refuseApproval,
  sealProposal,
  summaryOf,
  termsOf,
  whoMayEdit,
  whyNotNarrower,
} from '../approvals/index.ts';
import type { Person } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { lookIntoSession } from './enter-session.ts';
import { type Judgement, judge } from './judge.ts';
import { isRefusal, type Refusal } from './refusals.ts';
import { resolveNamed } from './resolve-tool.ts';

export interface EditRequest {
  readonly approval: string;
  /** Of the proposal the person was shown. */
  readonly digest: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly reason: string;
}
export type EditAnswer = { readonly ok: true; readonly approval: ApprovalSummary } | ApprovalRefusal;

/**
 * A reviewer narrows what waits: a new proposal, valid under schema and grant, judged again, with a digest of its own on which
 * everybody votes anew. It asks for all that was asked before, and takes its place: a retry of the agent's call comes to it.
 */
export async function editApproval(ports: Ports, person: Person, request: EditRequest): Promise<EditAnswer> {
  const seen = await whoMayEdit(ports, person, request);
  if ('ok' in seen) return seen;
  const { row, snapshot, at } = seen;
  const shown = openProposal(ports, row);
  if (canonicalForm(shown.arguments) === canonicalForm(request.arguments)) return refuseApproval('approval.edit_nothing');
  const judged = await judgeEdit(ports, shown, request.arguments);
  if (isRefusal(judged)) return refuseApproval('approval.edit_refused', judged.message);

  const { session, tool } = judged.tool;
  const wider = whyWider(judged, shown);
  if (wider !== null) return refuseApproval('approval.edit_widens', `${wider}.`);

  const id = ports.newId('apr');
  const edited: Proposal = {
    ...shown,
    arguments: { ...judged.tool.arguments },
    label: { ...session.view.label, categories: [...session.view.label.categories] },
    revision: session.tenant.revision,
    effect: tool.manifest.effect,
    created_at: at,
    edited: { approval: row.id, digest: row.digest, by: person.id, asked: shown.edited?.asked ?? shown.arguments },
  };
  const { digest, sealed } = sealProposal(ports, id, edited);
  const answer = await ports.store.editApproval({
    original: row,
    edited: {
      ...{ id, tenant: row.tenant, session: row.session, agent: row.agent, tool: row.tool, callKey: row.callKey, nonce: row.nonce, digest, proposal: sealed },
      ...{ requirements: row.requirements, excluded: row.excluded, terms: termsOf(snapshot.document, tool.manifest.effect) },
      ...{ createdAt: at, expiresAt: row.expiresAt },
    },
    revision: session.tenant.revision,
    actor: person.id,
    reason: request.reason.trim(),
    at,
  });
  if (answer.edited) return { ok: true, approval: summaryOf(answer.approval, at) };
  return refuseApproval(answer.why === 'revision' ? 'stale' : 'approval.not_pending');
}

/** As the call path judges the call itself, but for the agent's token, which is not here: nothing runs on this answer. */
async function judgeEdit(ports: Ports, shown: Proposal, edited: EditRequest['arguments']): Promise<Judgement | Refusal> {
  const session = await lookIntoSession(ports, shown.tenant, shown.session);
  if (isRefusal(session)) return session;
  const tool = resolveNamed(session, { tool: shown.tool, arguments: edited }, null);
  return isRefusal(tool) ? tool : judge(tool);
}

/** What of it is not less than before, in the eyes of the grant or of policy; null when nothing is. */
function whyWider({ tool: call, decision }: Judgement, shown: Proposal): string | null {
  const { tool, grants } = call;
  if (tool.digest !== shown.tool_digest) return 'the tool is another one by now';
  const wider = whyNotNarrower({ targets: tool.manifest.targets, grants }, shown.arguments, call.arguments);
  if (wider !== null || decision.decision === 'allow') return wider;
  const had = shown.requirements.map(parseRequirement);
  const more = decision.requirements.find((fresh) => !had.some((one) => one !== null && covers(one, fresh)));
  return more === undefined ? null : `policy asks ${more.literal} of the edited call as well`;
}
