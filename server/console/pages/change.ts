import { html } from 'hono/html';
import { z } from 'zod';
import { approveChange, type ChangeDetail, type ChangeRefusal, rejectChange, showChange } from '../../changes/index.ts';
import { action, form, type Html, notHere, page, type Refused, type Visitor } from '../page.ts';
import { moment, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { changeWords, nameOf } from '../parts/words.ts';
import { titleOf } from './changes.ts';

/** One change: what would be different, line by line, whose it is, and the digest that is approved. */
export const changePage = page({
  path: '/changes/:id',
  access: ['admin', 'auditor'],
  async show(ports, visitor, { param }) {
    const change = await showChange(ports, visitor.snapshot, param('id'));
    if (!change) return notHere();
    const now = Math.floor(ports.clock() / 1000);
    return {
      title: titleOf(change),
      live: 'changes',
      body: html`<div class="decision-page"><article><header class="lead"><p class="quiet"><a href="/console/changes">Changes</a></p><h1>${visibly(titleOf(change))}</h1></header>
${change.stale ? html`<p class="callout">What this would be laid over has changed since. Approving it plans it anew first: you then read it again, under another digest.</p>` : ''}
${difference(change)}${texts(change)}${whose(visitor, change, now)}</article>${aside(visitor, change, now)}</div>`,
    };
  },
});

const effects = { widens: ['warn', 'gives more'], narrows: ['good', 'gives less'], neutral: ['', 'gives the same'] } as const;
const did = { added: 'New', changed: 'Changed', removed: 'Removed' } as const;

function difference({ items }: ChangeDetail): Html {
  return html`<section class="part" aria-labelledby="difference"><h2 id="difference">What would be different</h2><ul class="plain">${items.map(
    ({
      tenant,
      kind,
      name,
      change,
      effect,
      differences,
    }) => html`<li><p><strong>${did[change]}: ${kind} ${visibly(name)}</strong>${kind === 'Platform' ? html` <span class="tag danger">the operator’s document</span>` : html` <span class="quiet">of ${tenant}</span>`} <span class="tag ${effects[effect][0]}">${effects[effect][1]}</span></p>
${differences.length === 0 ? '' : html`<ul>${differences.map((line) => html`<li class="value">${visibly(line)}</li>`)}</ul>`}</li>`,
  )}</ul></section>`;
}

const marks = { ' ': '', '+': 'more', '-': 'less' } as const;

/** The very lines, so that nothing of it has to be believed. */
const texts = ({ texts: all }: ChangeDetail): Html | '' =>
  all.length === 0
    ? ''
    : html`<section class="part" aria-labelledby="texts"><h2 id="texts">The documents, line by line</h2>${all.map(
        ({ of, lines }) =>
          html`<h3>${visibly(of)}</h3><pre class="value" tabindex="0" aria-label="${of}">${lines.map(({ sign, text }) => line(marks[sign], sign, text))}</pre>`,
      )}</section>`;
const line = (mark: string, sign: string, text: string): Html =>
  mark === 'more'
    ? html`<ins>${sign} ${visibly(text)}\n</ins>`
    : mark === 'less'
      ? html`<del>${sign} ${visibly(text)}\n</del>`
      : html`${sign} ${visibly(text)}\n`;

function whose({ snapshot }: Visitor, change: ChangeDetail, now: number): Html {
  const { author, reason, created_at, revision, decided_by, decided_at, decision_reason } = change;
  const by = author === 'operator' ? 'the operator, at a start of the broker' : nameOf(snapshot, author);
  return html`<section class="part" aria-labelledby="whose"><h2 id="whose">Who asked for it</h2><dl class="facts">
<dt>Asked for by</dt><dd>${visibly(by)} <span class="quiet">${moment(created_at, now)}</span></dd>
<dt>Because</dt><dd>${reason === null ? html`<span class="quiet">no reason given</span>` : html`<q>${visibly(reason)}</q>`}</dd>
<dt>Laid over</dt><dd>revision ${revision} of the configuration</dd>
${decided_by === null ? '' : html`<dt>Decided by</dt><dd>${visibly(nameOf(snapshot, decided_by))} <span class="quiet">${moment(decided_at ?? 0, now)}</span>${decision_reason === null ? '' : html`<br><q>${visibly(decision_reason)}</q>`}</dd>`}</dl></section>`;
}

function aside(visitor: Visitor, change: ChangeDetail, now: number): Html {
  const waits = change.status === 'pending';
  const { name, standing } = { name: visitor.person.name, standing: visitor.standing };
  const mine = waits && name !== null && change.approvers.includes(name);
  return html`<aside class="decide" aria-label="Decision">
<p class="status"><strong>${changeWords[change.status]}</strong>${waits ? html`<br>expires in ${until(change.expires_at, now)}` : ''}</p>
${waits ? html`<h2>Who may approve it</h2><p>${change.approvers.length > 0 ? visibly(change.approvers.join(', ')) : html`<span class="quiet">${change.remedy}</span>`}</p>` : ''}
<details class="digest" open><summary>Digest of what is approved</summary><code>${change.digest}</code></details>
${waits && standing.roles.has('admin') ? decision(visitor, change, mine) : ''}</aside>`;
}

const decision = (visitor: Visitor, { id, digest }: ChangeDetail, mine: boolean): Html => html`<h2>Your decision</h2>
${mine ? '' : html`<p class="callout">You may take it back; another admin has to approve it.</p>`}
${form(
  visitor,
  `/changes/${id}/decide`,
  html`<input type="hidden" name="digest" value="${digest}">
<label for="reason">Reason <span class="quiet">needed to reject; the author reads it</span></label><textarea id="reason" name="reason" rows="2" maxlength="500"></textarea>
<div class="choices">${mine ? html`<button class="approve" name="decision" value="approve" data-key="a">Approve</button>` : ''}
<button class="deny" name="decision" value="reject" data-key="d">Reject</button></div>
<p class="quiet keys" hidden>${mine ? html`<kbd>A</kbd> approve · ` : ''}<kbd>D</kbd> reject, pressed twice</p><p class="confirm" role="status" hidden></p>`,
  'vote',
)}`;

const refusedBy = ({ code, message, remedy }: ChangeRefusal): Refused =>
  code === 'change.not_found' ? notHere() : { refused: statusOf(code), code, message, remedy };
function statusOf(code: ChangeRefusal['code']): Refused['refused'] {
  if (code === 'change.reason_required' || code === 'change.reason_too_long' || code === 'change.no_longer_holds') return 422;
  return code === 'change.own' || code === 'change.made_admin' || code === 'change.recent' || code === 'change.not_operator' ? 403 : 409;
}

export const changeActions = [
  action({
    path: '/changes/:id/decide',
    access: ['admin'],
    fields: z.object({
      decision: z.enum(['approve', 'reject']),
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      reason: z.string().max(2_000).default(''),
    }),
    async run(ports, { person }, { param, values: { decision: decided, digest, reason } }) {
      const change = param('id');
      const answer =
        decided === 'approve' ? await approveChange(ports, person, { change, digest, reason }) : await rejectChange(ports, person, { change, reason });
      return answer.ok ? { to: '/console/changes', say: decided === 'approve' ? 'change-approved' : 'change-rejected' } : refusedBy(answer);
    },
  }),
];
