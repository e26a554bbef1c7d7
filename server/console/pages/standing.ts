import { html } from 'hono/html';
import { z } from 'zod';
import { decideStanding, revokeStanding, type StandingDetail, seeStanding, showStanding } from '../../approvals/index.ts';
import { action, form, type Html, notHere, page, type Visitor } from '../page.ts';
import { moment, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { nameOf, requirementWords, toolWords } from '../parts/words.ts';
import { refusedBy } from './refused-by.ts';

/** A standing approval as those of the group should read it: what it lets run, how often, how much, until when. */
export const standingPage = page({
  path: '/standing/:id',
  access: ['reviewer', 'admin', 'auditor'],
  async show(ports, visitor, { param }) {
    const [answer, seen] = await Promise.all([showStanding(ports, visitor.person, param('id')), seeStanding(ports, visitor.person, param('id'))]);
    if (!answer.ok || !seen) return notHere();
    const { standing } = answer;
    const now = Math.floor(ports.clock() / 1000);
    const open = standing.status === 'pending' || standing.status === 'active';
    const mayRevoke = open && (visitor.standing.roles.has('admin') || seen.inGroup);
    const mayVote =
      standing.status === 'pending' && standing.kind === 'standing' && seen.mayGive && !standing.votes.some(({ person }) => person === visitor.person.id);
    return {
      title: `Standing approval for ${standing.tool}`,
      body: html`<div class="heading"><h1>${toolWords(visitor.snapshot, standing.tool)}, without asking each time</h1></div>
<div class="decision-page"><article>${given(visitor, standing)}</article>
<aside class="decide" aria-label="Decision"><p class="status"><strong>${words[standing.status]}</strong>${open ? html`<br>${standing.status === 'pending' ? 'can be given for' : 'ends in'} ${until(standing.expires_at, now)}` : ''}</p>
<h2>Who gives it</h2><p>${standing.votes.filter(({ decision }) => decision === 'approve').length} of ${standing.needed} <span class="quiet">${requirementWords(standing.requirement)}; not whoever proposed it</span></p>
${standing.votes.length === 0 ? '' : html`<ul class="plain votes">${standing.votes.map(({ name, decision, at, reason }) => html`<li><span class="vote-${decision}">${decision === 'approve' ? 'gave it' : 'refused it'}</span>: <strong>${visibly(name)}</strong> ${moment(at, now)}${reason === null ? '' : html`<br><q>${visibly(reason)}</q>`}</li>`)}</ul>`}
<details class="digest"><summary>Digest of what you give: ${standing.digest.slice(0, 8)}…</summary><code>${standing.digest}</code></details>
${mayVote ? voteForm(visitor, standing) : ''}${mayRevoke ? revokeForm(visitor, standing) : ''}</aside></div>`,
    };
  },
});

export const standingWords = { pending: 'Waits to be given', active: 'In force', denied: 'Refused', revoked: 'Taken back', expired: 'Over' } as const;
const words = standingWords;

function given({ snapshot }: Visitor, { content, author, use_case, session }: StandingDetail): Html {
  if (content === null)
    return html`<section class="empty"><p>What was given has been deleted with its end. The record keeps who gave it, and the digest.</p></section>`;
  const { max_calls, max_amount, per_day, max_label, reason, review_by } = content;
  const daily = [per_day.calls === null ? [] : [`${per_day.calls} calls`], per_day.amount === null ? [] : [`an amount of ${per_day.amount}`]].flat();
  return html`<section class="part" aria-labelledby="calls"><h2 id="calls">Calls it covers</h2>
<dl class="arguments">${Object.entries(content.arguments).map(
    ([name, constraint]) =>
      html`<div class="argument"><dt><code>${visibly(name)}</code></dt><dd><pre class="value" dir="ltr" tabindex="0">${visibly(JSON.stringify(constraint))}</pre></dd></div>`,
  )}</dl><p class="quiet">A call with any other argument is asked about.</p></section>
<section class="part" aria-labelledby="limits"><h2 id="limits">How much</h2><ul class="plain">
<li>${max_calls === null ? 'as often as the task may' : `${max_calls} calls in all`}${max_amount === null ? '' : `, an amount of ${max_amount} in all`}${daily.length === 0 ? '' : `, ${daily.join(' and ')} a day`}</li>
<li>only ${session === null ? `in tasks of ${use_case}` : `in the task ${session}`}${content.agent === null ? '' : ` run by ${content.agent}`}</li>
<li>only while the task has read nothing above ${max_label.sensitivity}${max_label.categories.length === 0 ? '' : `, ${max_label.categories.join(', ')}`}, and nothing less trusted than ${max_label.integrity}</li></ul></section>
<section class="part" aria-labelledby="why"><h2 id="why">Why</h2><p>Proposed by <strong>${visibly(nameOf(snapshot, author))}</strong>${reason === null ? '' : html`: <q>${visibly(reason)}</q>`}${review_by === null ? '' : html`. To be reviewed by ${review_by}.`}</p></section>`;
}

const voteForm = (visitor: Visitor, { id, digest }: StandingDetail): Html => html`<h2>Your decision</h2>
${form(
  visitor,
  `/standing/${id}/decide`,
  html`<input type="hidden" name="digest" value="${digest}"><label>Reason <input name="reason" required minlength="3" maxlength="500"></label>
<div class="choices"><button class="approve" name="decision" value="approve">Give it</button><button class="deny" name="decision" value="deny">Refuse it</button></div>`,
  'standing',
)}`;

const revokeForm = (visitor: Visitor, { id }: StandingDetail): Html => html`<details class="other"><summary>End it now</summary>
${form(visitor, `/standing/${id}/revoke`, html`<p class="quiet">For every task, from the next call on.</p><label>Why it ends <input name="reason" maxlength="500"></label><button>End it</button>`)}</details>`;

export const standingActions = [
  action({
    path: '/standing/:id/decide',
    access: ['reviewer', 'admin', 'auditor'],
    fields: z.object({ decision: z.enum(['approve', 'deny']), digest: z.string().regex(/^[0-9a-f]{64}$/), reason: z.string().max(2_000).default('') }),
    async run(ports, visitor, { param, values }) {
      const answer = await decideStanding(ports, visitor.person, { ...values, standing: param('id') });
      return answer.ok
        ? { to: `/console/standing/${param('id')}`, say: values.decision === 'approve' ? 'standing-given' : 'standing-refused' }
        : refusedBy(answer);
    },
  }),
  action({
    path: '/standing/:id/revoke',
    access: ['reviewer', 'admin', 'auditor'],
    fields: z.object({ reason: z.string().max(2_000).default('') }),
    async run(ports, visitor, { param, values }) {
      const answer = await revokeStanding(ports, visitor.person, { standing: param('id'), reason: values.reason });
      return answer.ok ? { to: `/console/standing/${param('id')}`, say: 'standing-ended' } : refusedBy(answer);
    },
  }),
];
