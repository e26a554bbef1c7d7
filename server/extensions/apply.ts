import { covers, dominates, parseRequirement } from '../../policies/index.ts';
import { openProposal, satisfiedLiterals } from '../approvals/index.ts';
import { isRefusal } from '../call/refusals.ts';
import type { Ports } from '../ports.ts';
import type { ApprovalRow } from '../store/store.ts';
import { extensionContent, extensionTool } from './asked.ts';
import { lookAt } from './look.ts';
import { requirementsOf, strongest } from './request.ts';
import { extend } from './within.ts';

type Needs = Pick<Ports, 'store' | 'tenants' | 'clock' | 'keys'>;
/** How often it is looked at again because something moved meanwhile. */
const attempts = 3;

/**
 * Puts in force what people approved, once, whoever does it: if it still lies within the intersection, the label is none above the one
 * shown and the use case asks for no more than was given. Otherwise it is superseded, and has to be asked anew.
 */
export async function applyExtension(ports: Needs, tenant: string, approval: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const row = await ports.store.readApproval(tenant, approval);
    if (row?.tool !== extensionTool || row.status !== 'approved' || row.expiresAt <= ports.clock()) return;
    if ((await applyOnce(ports, row)) !== 'moved') return;
  }
}

async function applyOnce(ports: Needs, row: ApprovalRow): Promise<'done' | 'moved'> {
  const { tenant } = row;
  const at = ports.clock();
  const about = { at, tenant, session: row.session, agent: row.agent, tool: row.tool, approval: row.id, proposal_sha256: row.digest } as const;
  const looked = await lookAt(ports, tenant, row.session);
  const shown = openProposal(ports, row);
  const content = extensionContent.parse(shown.arguments);
  const next = isRefusal(looked) ? looked : extend(looked.view.session, looked.bounds, content);
  const given = satisfiedLiterals(row);
  const holds =
    !isRefusal(looked) &&
    !isRefusal(next) &&
    dominates(shown.label, looked.view.label) &&
    isEnough(
      given.map(({ literal }) => literal),
      requirementsOf(looked, strongest(looked, content.tools ?? [])),
    );
  if (isRefusal(looked) || isRefusal(next) || !holds) {
    if (isRefusal(looked) && looked.refused === 'stale') return 'moved';
    await ports.store.closeApproval(tenant, row.id, 'superseded', at, { ...about, type: 'approval.superseded', code: 'extension' });
    return 'done';
  }
  const { session } = looked.view;
  const answer = await ports.store.extendSession({
    ...{
      tenant,
      session: row.session,
      approval: { id: row.id, digest: row.digest },
      revision: looked.snapshot.revision,
      labelVersion: looked.view.labelVersion,
      at,
    },
    before: { expiresAt: session.expiresAt, budget: session.budget, grants: session.grants },
    next,
    record: {
      ...about,
      ...{ type: 'session.extended', sponsor: session.sponsor, use_case: session.useCase, revision: looked.snapshot.revision, satisfied: given },
      expires_at: next.expiresAt,
      tools: next.grants.slice(session.grants.length).map(({ tool }) => tool),
      actor: 'taskgate',
    },
  });
  return answer ? 'done' : 'moved';
}

const isEnough = (given: readonly string[], asked: readonly string[]): boolean => {
  const had = given.flatMap((literal) => parseRequirement(literal) ?? []);
  return asked.length > 0 && asked.flatMap((literal) => parseRequirement(literal) ?? []).every((fresh) => had.some((one) => covers(one, fresh)));
};
