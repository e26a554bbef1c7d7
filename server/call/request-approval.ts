import { withPasskey } from '../../policies/index.ts';
import { excludedFrom, mustBeSigned, type Proposal, sealProposal, termsOf } from '../approvals/index.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow } from '../store/store.ts';
import type { Judgement } from './judge.ts';
import { observedOf } from './record-observed.ts';
import { type Refusal, refuse } from './refusals.ts';
import { callKeyOf } from './resolve-tool.ts';

const defaultExpiryMs = 4 * 3_600_000;
const longestExpiryMs = 24 * 3_600_000;

/** The approval this call waits for: the one it already has, or a new one. What a human is asked is written down first. */
export async function requestApproval(
  ports: Pick<Ports, 'store' | 'clock' | 'keys' | 'newId' | 'config'>,
  judgement: Judgement,
  nonce: string | null,
  decision: string,
): Promise<ApprovalRow | Refusal> {
  const { session, tool, arguments: args } = judgement.tool;
  const { row, agent, useCase, tenant, view } = session;
  if (judgement.decision.decision !== 'require') return refuse('policy.error', 'Policy no longer asks for an approval; try again.');
  const { policies, expiresIn } = judgement.decision;
  const requirements = mustBeSigned(tenant.document, tool.manifest.effect) ? judgement.decision.requirements.map(withPasskey) : judgement.decision.requirements;
  const impossible = requirements.find((requirement) => requirement.kind === 'redact');
  if (impossible)
    return refuse('policy.forbidden', `Policy requires ${impossible.literal}, which cannot be satisfied here.`, { policies: policies.map(({ id }) => id) });

  const now = ports.clock();
  const expiresAt = Math.min(now + (expiresIn === null ? defaultExpiryMs : expiresIn * 1000), now + longestExpiryMs, row.expiresAt);
  const id = ports.newId('apr');
  const proposal: Proposal = {
    tenant: row.tenant,
    session: row.id,
    tool: tool.name,
    tool_digest: tool.digest,
    arguments: { ...args },
    agent: agent.name,
    owner: agent.owner,
    sponsor: row.sponsor,
    requirements: requirements.map(({ literal }) => literal).sort(),
    label: { ...view.label, categories: [...view.label.categories] },
    revision: tenant.revision,
    policies: policies.map((policy) => ({ id: policy.id, reason: policy.reason })),
    use_case: useCase.name,
    purpose: useCase.purpose,
    objective: row.objective,
    inputs: { ...row.inputs },
    attested_by: row.attestedBy,
    effect: tool.manifest.effect,
    reaches: tool.manifest.reaches,
    principal: tenant.upstreams.get(tool.upstream)?.document.principal ?? 'shared',
    says: tool.manifest.says ?? null,
    created_at: now,
    expires_at: expiresAt,
  };
  const { digest, sealed } = sealProposal(ports, id, proposal);
  const about = { at: now, tenant: row.tenant, session: row.id, agent: agent.name, sponsor: row.sponsor, tool: tool.name, tool_digest: tool.digest };
  const answer = await ports.store.openApproval(
    {
      id,
      tenant: row.tenant,
      session: row.id,
      agent: agent.name,
      tool: tool.name,
      callKey: callKeyOf(judgement.tool),
      nonce,
      digest,
      proposal: sealed,
      requirements: proposal.requirements,
      excluded: excludedFrom(tenant, row, view.ancestors),
      terms: termsOf(tenant.document, tool.manifest.effect),
      createdAt: now,
      expiresAt,
    },
    ports.config.limits.approvals,
    {
      type: 'approval.requested',
      ...about,
      approval: id,
      proposal_sha256: digest,
      decision: 'require',
      decision_id: decision,
      requirements: proposal.requirements,
      policies: policies.map((policy) => policy.id),
      revision: tenant.revision,
      expires_at: expiresAt,
      ...observedOf(session),
    },
  );
  if (!('refused' in answer)) return answer.approval;
  if (answer.refused === 'session_not_live') return refuse('session.ended', 'This task has ended.');
  const { session: inTask, agent: ofAgent, tenant: ofTenant } = ports.config.limits.approvals;
  const most = `${inTask} in a task, ${ofAgent} for an agent, ${ofTenant} for a tenant`;
  return refuse('approval.too_many', `Too many calls wait for a human already (at most ${most}).`);
}
