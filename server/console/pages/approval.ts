import { html } from 'hono/html';
import { z } from 'zod';
import {
  type ApprovalDetail,
  assertion,
  ballotOf,
  challengeVote,
  decideApproval,
  hasSigningKey,
  mayReview,
  type Proposal,
  revokeApproval,
  type Seen,
  seeApproval,
  showApproval,
} from '../../approvals/index.ts';
import type { Ports } from '../../ports.ts';
import { argumentsOf, argumentsSection, longOnes } from '../approval/arguments.ts';
import { decideAside } from '../approval/decide-form.ts';
import { type Earlier, lastApproved } from '../approval/earlier.ts';
import { agentWords, dataSection, peopleSection, policySection, taskSection, unknownsSection, whatSection } from '../approval/facts.ts';
import { editedNote, narrowForm, rememberForm } from '../approval/narrow-form.ts';
import { openShown, sealShown } from '../approval/shown.ts';
import { action, type Html, notHere, page, type Refused, type Shown, type Visitor } from '../page.ts';
import { timeline } from '../parts/calls.ts';
import { moment } from '../parts/times.ts';
import { toolWords } from '../parts/words.ts';
import { readJsonField } from '../read-json-field.ts';
import { refusedBy } from './refused-by.ts';

const callsShown = 20;

/** One proposal, in the order in which a person should read it. */
export const approvalPage = page({
  path: '/approvals/:id',
  access: 'named',
  query: z.object({
    open: z
      .string()
      .max(400)
      .regex(/^[\d.]*$/)
      .catch('')
      .default(''),
  }),
  async show(ports, visitor, { param, values }): Promise<Shown | Refused> {
    const id = param('id');
    const [answer, seen] = await Promise.all([showApproval(ports, visitor.person, id), seeApproval(ports, visitor.person, id)]);
    if (!answer.ok || !seen) return notHere();
    const { approval } = answer;
    const { proposal } = approval;
    const now = Math.floor(ports.clock() / 1000);
    const { snapshot } = visitor;
    const mine = ballotOf(seen);
    const others = { approval, mine, now, maySign: await hasSigningKey(ports, visitor.person), ...rightsOf(seen) };
    if (proposal === null) {
      const body = html`<div class="decision-page"><div><header class="lead"><h1>${toolWords(snapshot, approval.tool)}</h1></header>
<section class="empty"><p>What was asked has been deleted with its expiry. The record keeps who decided what, and the digest.</p></section></div>${decideAside(visitor, { ...others, shown: '', closed: 0 })}</div>`;
      return { title: toolWords(snapshot, approval.tool), live: 'approvals', body };
    }
    const [earlier, calls] = await Promise.all([lastApproved(ports, seen), ports.store.listDispatches(seen.row.tenant, seen.row.session, callsShown)]);
    const all = argumentsFor(ports, seen, proposal, earlier?.proposal ?? null);
    const opened = new Set(
      values.open
        .split('.')
        .filter((text) => text !== '')
        .map(Number),
    );
    const closed = longOnes(all).filter((at) => !opened.has(at));
    const before = earlier?.proposal ?? null;
    const gone = before === null ? [] : Object.keys(before.arguments).filter((name) => !Object.hasOwn(proposal.arguments, name));
    if (mine.ok) await ports.store.noteShown(seen.row.tenant, id, visitor.person.id, ports.clock());
    return {
      title: proposal.says ?? proposal.tool,
      live: 'approvals',
      body: html`<div class="decision-page"><article>${editedNote(proposal.edited, proposal.arguments, approval.superseded_by)}${whatSection(proposal)}${taskSection(snapshot, proposal)}${peopleSection(snapshot, proposal)}${dataSection(proposal)}
${argumentsSection(all, gone, opened, comparedWith(earlier, now))}
<section class="part" aria-labelledby="calls"><h2 id="calls">Earlier in this task</h2>${calls.length === 0 ? html`<p>This is its first call.</p>` : timeline(snapshot, calls, now)}
<p class="quiet"><a href="/console/sessions/${approval.session}">The whole task</a></p></section>
${policySection(proposal)}${unknownsSection(proposal, before !== null)}${agentWords(proposal)}</article>
${decideAside(visitor, { ...others, shown: sealShown(ports, visitor, id, approval.digest, [...opened]), closed: closed.length, lighter: lighter(visitor, approval, proposal, mine.ok) })}</div>`,
    };
  },
});

function comparedWith(earlier: Earlier | null, now: number): Html {
  if (earlier === null) return html`No earlier approved call of this tool to compare with.`;
  if (earlier.proposal !== null) return html`Compared with the last approved call of this tool, ${moment(earlier.at, now)}.`;
  return html`Not compared: the last approved call of this tool, ${moment(earlier.at, now)}, has expired, and what a call held is deleted with its approval.`;
}

/** Beside yes and no: less than was asked, or an answer for calls like it. */
function lighter(visitor: Visitor, { id, digest, status, votes }: ApprovalDetail, proposal: Proposal, mayVote: boolean): Html {
  const mine = votes.some(({ person, decision }) => person === visitor.person.id && decision === 'approve');
  const remembers = mine && proposal.effect !== 'destructive' && proposal.label.integrity !== 'external';
  const narrow = mayVote && status === 'pending' ? narrowForm(visitor, id, digest, proposal) : '';
  const remember = remembers && ['pending', 'approved', 'used'].includes(status) ? rememberForm(visitor, id, digest) : '';
  return html`${narrow}${remember}`;
}

function argumentsFor(_ports: Ports, { snapshot }: Seen, proposal: Parameters<typeof argumentsOf>[0], earlier: Parameters<typeof argumentsOf>[1]) {
  return argumentsOf(proposal, earlier, snapshot.tools.get(proposal.tool)?.manifest.targets ?? {});
}

function rightsOf({ row, standing, isSponsor }: Seen): { mayRevoke: boolean; mayStop: boolean } {
  const reviews = mayReview(row, standing);
  return { mayRevoke: standing.roles.has('admin') || reviews, mayStop: standing.roles.has('admin') || isSponsor || reviews };
}

const reason = z.string().max(2_000).default('');

const notOpened: Refused = {
  refused: 422,
  code: 'arguments.not_opened',
  message: 'A long argument has not been opened, so nothing was decided.',
  remedy: 'Go back, open what is cut, read it, and decide then.',
};

const digest = z.string().regex(/^[0-9a-f]{64}$/);

export const approvalActions = [
  action({
    path: '/approvals/:id/challenge',
    access: 'named',
    fields: z.object({
      decision: z.enum(['approve', 'deny']),
      digest,
      requirement: z.string().max(100).optional(),
      on_behalf_of: z.string().max(64).optional(),
    }),
    async run(ports, visitor, { param, values }) {
      const { on_behalf_of: behalf, ...asked } = values;
      const answer = await challengeVote(ports, visitor.person, { ...asked, behalf, approval: param('id') });
      return answer.ok ? { json: { get: answer.challenge.options } } : refusedBy(answer);
    },
  }),
  action({
    path: '/approvals/:id/decide',
    access: 'named',
    fields: z.object({
      decision: z.enum(['approve', 'deny']),
      digest,
      shown: z.string().max(4_000).default(''),
      requirement: z.string().max(100).optional(),
      on_behalf_of: z.string().max(64).optional(),
      assertion: readJsonField(assertion).optional(),
      reason,
    }),
    async run(ports, visitor, { param, values }) {
      const id = param('id');
      const { decision, digest, requirement } = values;
      if (decision === 'approve' && !(await wasOpened(ports, visitor, id, digest, values.shown))) return notOpened;
      const answer = await decideApproval(ports, visitor.person, {
        approval: id,
        digest,
        decision,
        reason: values.reason,
        requirement,
        behalf: values.on_behalf_of,
        assertion: values.assertion,
      });
      if (!answer.ok) return refusedBy(answer);
      return { to: '/console', say: decision === 'approve' ? 'approved' : 'denied' };
    },
  }),
  action({
    path: '/approvals/:id/revoke',
    access: 'named',
    fields: z.object({ reason }),
    async run(ports, visitor, { param, values }) {
      const answer = await revokeApproval(ports, visitor.person, { approval: param('id'), reason: values.reason });
      return answer.ok ? { to: `/console/approvals/${param('id')}`, say: 'revoked' } : refusedBy(answer);
    },
  }),
];

/** The page the vote came from showed this proposal with everything long in it open. Whoever may not see it is refused by the vote itself. */
export async function wasOpened(ports: Ports, visitor: Visitor, id: string, digest: string, shown: string): Promise<boolean> {
  const [answer, seen] = await Promise.all([showApproval(ports, visitor.person, id), seeApproval(ports, visitor.person, id)]);
  if (!answer.ok || !seen || answer.approval.proposal === null || answer.approval.digest !== digest) return true;
  const opened = openShown(ports, visitor, id, digest, shown);
  return opened !== null && longOnes(argumentsFor(ports, seen, answer.approval.proposal, null)).every((at) => opened.has(at));
}
