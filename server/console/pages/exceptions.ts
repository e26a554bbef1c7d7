import { html } from 'hono/html';
import { listStanding, type StandingSummary } from '../../approvals/index.ts';
import { type Exception, listExceptions } from '../../exceptions/index.ts';
import { type Html, page } from '../page.ts';
import { moment, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { requirementWords } from '../parts/words.ts';

const words = {
  standing: 'Standing approval',
  remembered: 'Remembered answer',
  widening: 'Widening',
  observed: 'Observed, not enforced',
  bearer: 'Token without proof',
  delegation: 'Lent place',
  break_glass: 'Break-glass',
} as const satisfies Record<Exception['kind'], string>;

/** Everything in force that lets pass what rules would stop or ask about. */
export const exceptionsPage = page({
  path: '/exceptions',
  nav: 'Exceptions',
  access: ['reviewer', 'admin', 'auditor'],
  async show(ports, { snapshot }) {
    const [items, pending] = await Promise.all([
      listExceptions(ports, snapshot),
      listStanding(ports, snapshot.tenant, { status: 'pending', kind: 'standing' }, { after: null, limit: 100 }),
    ]);
    const now = Math.floor(ports.clock() / 1000);
    const waiting = pending.items.filter((one) => one.status === 'pending');
    const overdue = items.filter((one) => one.overdue).length;
    const body =
      items.length === 0
        ? html`<section class="empty"><p><strong>There is no exception.</strong></p><p class="quiet">Every rule holds for everybody.</p></section>`
        : html`${overdue === 0 ? '' : html`<p class="callout"><strong>${overdue} to be reviewed</strong> <span class="quiet">and overdue. Whoever owns it looks at it, then ends it or says anew why it stays.</span></p>`}
<div class="scroll" tabindex="0" role="region" aria-label="Exceptions"><table><thead><tr><th scope="col">What</th><th scope="col">Owner</th><th scope="col">Reason</th><th scope="col">Ends</th><th scope="col">Review by</th></tr></thead>
<tbody>${items.map((one) => row(one, now))}</tbody></table></div>`;
    return {
      title: 'Exceptions',
      body: html`<div class="heading"><h1>Exceptions</h1><p class="quiet">What lets pass what rules would stop or ask about</p></div>${waiting.length === 0 ? '' : toGive(waiting, now)}${body}`,
    };
  },
});

const toGive = (
  waiting: readonly StandingSummary[],
  now: number,
): Html => html`<section class="part" aria-labelledby="waiting"><h2 id="waiting">Waiting to be given</h2>
<ul class="plain">${waiting.map(
  (one) =>
    html`<li><a href="/console/standing/${one.id}">${one.tool} in ${one.use_case}</a> <span class="quiet">${requirementWords(one.requirement)} · for ${until(one.expires_at, now)}</span></li>`,
)}</ul></section>`;

const row = (
  { kind, what, id, owner, reason, ends, review_by, overdue }: Exception,
  now: number,
): Html => html`<tr><td><span class="tag${kind === 'break_glass' || kind === 'observed' ? ' danger' : ''}">${words[kind]}</span> ${visibly(what)}<br>${kind === 'standing' || kind === 'remembered' ? html`<a href="/console/standing/${id}">What exactly</a>` : html`<code class="quiet">${id}</code>`}</td>
<td>${visibly(owner)}</td><td>${reason === null ? '–' : visibly(reason)}</td><td>${ends === null ? 'no end' : moment(ends, now)}</td>
<td>${review_by === null ? '–' : moment(review_by, now)}${overdue ? html` <span class="tag danger">overdue</span>` : ''}</td></tr>`;
