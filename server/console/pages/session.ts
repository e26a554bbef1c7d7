import { html } from 'hono/html';
import { mayReview } from '../../approvals/index.ts';
import { maySeeSession, mayStopSession, observedUntil } from '../../sessions/index.ts';
import type { ApprovalRow, SessionView } from '../../store/index.ts';
import { inputsOf } from '../approval/facts.ts';
import { form, type Html, notHere, page, type Visitor } from '../page.ts';
import { timeline } from '../parts/calls.ts';
import { budgetBar, labelScale } from '../parts/charts.ts';
import { moment, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { labelWords, nameOf, statusWords, toolWords } from '../parts/words.ts';

const callsShown = 100;
const approvalsShown = 50;
const statuses = { active: 'Running', suspended: 'Suspended', ended: 'Ended', revoked: 'Revoked' } as const;

/** One task: what for, how much of it is used, what it has read and what it called. */
export const sessionPage = page({
  path: '/sessions/:id',
  access: 'named',
  async show(ports, visitor, { param }) {
    const { person, standing, snapshot } = visitor;
    const id = param('id');
    const view = await ports.store.readSession(person.tenant, id);
    if (!view || !maySeeSession(standing, view.session)) return notHere();
    const { session } = view;
    const { amount } = session.budget;
    const [calls, approvals, mayStop, amountUsed] = await Promise.all([
      ports.store.listDispatches(person.tenant, id, callsShown),
      ports.store.listApprovals(person.tenant, { session: id }, { after: null, limit: approvalsShown }),
      mayStopSession(ports, standing, session),
      amount === null ? 0 : ports.store.amountUsed(person.tenant, id),
    ]);
    const now = Math.floor(ports.clock() / 1000);
    const live = session.status === 'active' || session.status === 'suspended';
    const observed = observedUntil(snapshot, [session, ...view.ancestors], ports.clock());
    return {
      title: snapshot.useCases.get(session.useCase)?.document.purpose ?? session.useCase,
      body: html`<div class="decision-page"><article><header class="lead"><p class="quiet">A task of ${session.agent}</p><h1>${snapshot.useCases.get(session.useCase)?.document.purpose ?? session.useCase}</h1></header>
${observed === null ? '' : html`<p class="callout">Policy of the tenant is only recorded for this task, not enforced, until ${observed}.</p>`}
${task(visitor, view)}
<section class="part" aria-labelledby="used"><h2 id="used">What it has used and read</h2><div class="charts">${budgetBar(view.calls, session.budget.calls, 'calls')}${amount === null ? '' : budgetBar(amountUsed / 10_000, amount / 10_000, 'in amounts')}${labelScale(view.label.sensitivity, session.ceiling)}</div>
<p class="quiet">It has read ${labelWords({ ...view.label, categories: [...view.label.categories] })}.</p></section>
<section class="part" aria-labelledby="calls"><h2 id="calls">What it called</h2>${calls.length === 0 ? html`<p>Nothing yet.</p>` : timeline(snapshot, calls, now)}
${calls.length === callsShown ? html`<p class="quiet">The latest ${callsShown}; the record has them all.</p>` : ''}</section>
${asked(visitor, approvals, now)}</article>
<aside class="decide" aria-label="State"><p><strong>${statuses[session.status]}</strong><br>${live ? html`ends in ${until(Math.floor(session.expiresAt / 1000), now)}` : html`${moment(Math.floor((session.endedAt ?? session.expiresAt) / 1000), now)}${session.endReason === null ? '' : html`: ${visibly(session.endReason)}`}`}</p>
${mayStop && live ? stopForms(visitor, id, session.status === 'active') : ''}<details class="digest"><summary>Its id</summary><code>${id}</code></details></aside></div>`,
    };
  },
});

function task({ snapshot }: Visitor, { session }: SessionView): Html {
  const { objective, inputs, attestedBy, sponsor, requester, mode, parent } = session;
  const doubt =
    attestedBy === 'agent' ? html` <span class="tag danger">the agent’s own words</span>` : html` <span class="quiet">attested by the ${attestedBy}</span>`;
  return html`<section class="part" aria-labelledby="task"><h2 id="task">The task</h2><dl class="facts">
<dt>Use case</dt><dd>${session.useCase}</dd><dt>Sponsor</dt><dd>${nameOf(snapshot, sponsor)} <span class="quiet">${mode === 'autonomous' ? 'answers for it; nobody started it by hand' : sponsor}</span></dd>
<dt>Opened by</dt><dd>${requester}</dd>${parent === null ? '' : html`<dt>Draws on</dt><dd><a href="/console/sessions/${parent}">another task</a></dd>`}
<dt>Objective</dt><dd>${objective === '' ? 'none was given' : visibly(objective)}${doubt}</dd><dt>Inputs</dt><dd>${inputsOf(inputs)}</dd>
<dt>May call</dt><dd>${session.grants.map(({ tool, maxCalls }) => html`<span class="input"><code>${tool}</code>${maxCalls === null ? '' : html` <span class="quiet">${maxCalls} times</span>`}</span> `)}</dd></dl></section>`;
}

/** Every approval by name and state; its page shows the rest to whoever may read it. */
function asked({ snapshot, standing }: Visitor, approvals: readonly ApprovalRow[], now: number): Html | '' {
  if (approvals.length === 0) return '';
  return html`<section class="part" aria-labelledby="asked"><h2 id="asked">What people were asked</h2><ul class="plain">${approvals.map((one) => {
    const words = toolWords(snapshot, one.tool);
    const readable = standing.roles.has('admin') || standing.roles.has('auditor') || mayReview(one, standing);
    return html`<li>${moment(Math.floor(one.createdAt / 1000), now)} ${readable ? html`<a href="/console/approvals/${one.id}">${words}</a>` : words} <span class="quiet">${statusWords[one.status]}</span></li>`;
  })}</ul></section>`;
}

const stopForms = (visitor: Visitor, id: string, running: boolean): Html =>
  html`${
    running
      ? html`<details class="other"><summary>Suspend it</summary>${form(visitor, `/sessions/${id}/suspend`, html`<p class="quiet">Its next call is refused. What waits for people is cancelled.</p><label>Why it is suspended <input name="reason" required minlength="3" maxlength="500"></label><button>Suspend</button>`)}</details>`
      : ''
  }<details class="other"><summary>End it</summary>${form(visitor, `/sessions/${id}/end`, html`<p class="quiet">What it could do is gone with its next call, and does not come back.</p><label>Why the task ends <input name="reason" required minlength="3" maxlength="500"></label><button class="deny">End the task</button>`)}</details>`;
