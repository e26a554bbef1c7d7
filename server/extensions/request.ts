import { type Effect, parseRequirement, withPasskey } from '../../policies/index.ts';
import { canonicalForm, sha256Hex } from '../../tools/index.ts';
import { excludedFrom, mustBeSigned, type Proposal, sealProposal, termsOf } from '../approvals/index.ts';
import { isRefusal, type Refusal, refuse } from '../call/refusals.ts';
import { recentChanges, restsOn } from '../changes/index.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow } from '../store/store.ts';
import { type ExtensionAsked, extensionDigest, extensionTool } from './asked.ts';
import { type Looked, lookAt } from './look.ts';
import { contentOf } from './within.ts';

const waitMs = 4 * 3_600_000;
type Needs = Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys' | 'newId' | 'config'>;

/**
 * Asks people for more of what the use case grants: an approval like any other, of exactly what the task would then have. `asker` is the
 * person who asks, and cannot give it; null when the agent does.
 */
export async function requestExtension(
  ports: Needs,
  of: { readonly tenant: string; readonly session: string; readonly asker: string | null },
  asked: ExtensionAsked,
): Promise<ApprovalRow | Refusal> {
  const looked = await lookAt(ports, of.tenant, of.session);
  if (isRefusal(looked)) return looked;
  if (looked.requires.length === 0)
    return refuse('session.refused', 'The use case of this task lets nobody extend it. What it lacks is a change of the use case.');
  if (asked.minutes === undefined && asked.calls === undefined && asked.amount === undefined && asked.tools === undefined)
    return refuse('arguments.invalid', 'Say what is asked for: minutes, calls, amount or tools.');
  const content = contentOf(looked.view.session, looked.bounds, asked);
  if (isRefusal(content)) return content;
  const { view, snapshot } = looked;
  const { session } = view;
  const now = ports.clock();
  const effect = strongest(looked, content.tools ?? []);
  const expiresAt = Math.min(now + waitMs, session.expiresAt);
  const { reason: _, ...what } = content;
  const callKey = sha256Hex(canonicalForm(['extension', of.tenant, of.session, extensionDigest, what]));
  const id = ports.newId('apr');
  const proposal: Proposal = {
    ...{ tenant: of.tenant, session: session.id, tool: extensionTool, tool_digest: extensionDigest, arguments: { ...content } },
    ...{ agent: session.agent, owner: looked.owner, sponsor: session.sponsor, requirements: requirementsOf(looked, effect) },
    label: { ...view.label, categories: [...view.label.categories] },
    revision: snapshot.revision,
    policies: [{ id: `${of.tenant}/${session.useCase}/extensions`, reason: 'The use case says who may extend its tasks' }],
    ...{ use_case: session.useCase, purpose: looked.purpose, objective: session.objective, inputs: { ...session.inputs }, attested_by: session.attestedBy },
    ...{ effect, reaches: 'tenant', principal: 'shared', says: extensionWords },
    ...{ created_at: now, expires_at: expiresAt },
  };
  const { digest, sealed } = sealProposal(ports, id, proposal);
  const chain = excludedFrom(snapshot, session, view.ancestors);
  const changed = await changersOf(ports, looked, content.tools ?? []);
  const excluded = [...new Set([...chain, ...changed, ...(of.asker === null ? [] : [of.asker])])].sort();
  const answer = await ports.store.openApproval(
    {
      ...{ id, tenant: of.tenant, session: session.id, agent: session.agent, tool: extensionTool, callKey, nonce: null, digest, proposal: sealed },
      ...{ requirements: proposal.requirements, excluded, terms: termsOf(snapshot.document, effect), createdAt: now, expiresAt },
    },
    ports.config.limits.approvals,
    {
      ...{ type: 'approval.requested', at: now, tenant: of.tenant, session: session.id, agent: session.agent, sponsor: session.sponsor },
      ...{ tool: extensionTool, tool_digest: extensionDigest, approval: id, proposal_sha256: digest, decision: 'require' },
      ...{ requirements: proposal.requirements, revision: snapshot.revision, expires_at: expiresAt },
      ...(of.asker === null ? {} : { actor: of.asker }),
    },
  );
  if (!('refused' in answer)) return answer.approval;
  return answer.refused === 'session_not_live'
    ? refuse('session.ended', 'This task has ended.')
    : refuse('approval.too_many', 'Too much waits for people already.');
}

/** Whoever changed what a tool rests on within a day does not decide that a task gets it. */
async function changersOf(ports: Needs, { snapshot, view }: Looked, tools: readonly string[]): Promise<string[]> {
  if (tools.length === 0) return [];
  const rests = tools.map((tool) => restsOn({ agent: view.session.agent, tool, requirements: [] }, view.session.useCase, snapshot));
  const recent = await recentChanges(ports, snapshot.tenant);
  return recent.filter(({ touches }) => touches.some((one) => rests.some((on) => on.has(one)))).map(({ author }) => author);
}

export const extensionWords = 'Lets a running task last longer, do more, or use more tools of its use case';

/** As strong as the strongest tool it adds: what people owe for a call of it they owe for this. */
export function strongest({ snapshot }: Pick<Looked, 'snapshot'>, tools: readonly string[]): Effect {
  const effects = tools.map((name) => snapshot.tools.get(name)?.manifest.effect ?? 'destructive');
  return effects.includes('destructive') ? 'destructive' : 'write';
}

/** What the use case requires now, signed where the tenant has every vote on such an effect signed. */
export function requirementsOf({ snapshot, requires }: Pick<Looked, 'snapshot' | 'requires'>, effect: Effect): string[] {
  const parsed = requires.flatMap((literal) => parseRequirement(literal) ?? []);
  return (mustBeSigned(snapshot.document, effect) ? parsed.map(withPasskey) : parsed).map(({ literal }) => literal).sort();
}
