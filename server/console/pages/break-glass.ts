import { html } from 'hono/html';
import { z } from 'zod';
import { hasSigningKey } from '../../approvals/index.ts';
import {
  type BreakGlassSummary,
  longestLifetimeMs,
  maySee,
  mostCalls,
  seeBreakGlass,
  summaryOf,
  toRotate,
  usualCalls,
  usualLifetimeMs,
} from '../../break-glass/index.ts';
import { isFreshLogin } from '../../identity/index.ts';
import type { Ports } from '../../ports.ts';
import { form, type Html, notHere, page, type Visitor } from '../page.ts';
import { moment, spanOf, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { toolWords } from '../parts/words.ts';

const shown = 50;
const states = { requested: 'Waits to be confirmed', lapsed: 'Was not confirmed', active: 'Active', ended: 'Over' } as const;
const minute = 60_000;

/** What is open in an emergency, and what was; where two people ask for it. */
export const breakGlassListPage = page({
  path: '/break-glass',
  nav: 'Break-glass',
  access: 'named',
  query: z.object({ session: z.string().max(200).catch('').default('') }),
  async show(ports, visitor, { values: { session } }) {
    if (!maySee(visitor)) return notHere();
    const at = ports.clock();
    const rows = await ports.store.listBreakGlass(visitor.person.tenant, {}, { after: null, limit: shown });
    const now = Math.floor(at / 1000);
    const offered = visitor.snapshot.document.break_glass?.group;
    const mayAsk = offered !== undefined && visitor.standing.groups.has(offered);
    return {
      title: 'Break-glass',
      body: html`<div class="heading"><h1>Break-glass</h1></div>
<p class="quiet">${offered === undefined ? 'This tenant has none.' : html`In an emergency two people of the group ${offered} open named tools to one task for a while. It stands in for people a policy asks, where that policy says so, and for nothing else.`}</p>
${rows.length === 0 ? html`<section class="empty"><p>It was never used.</p></section>` : html`<ol class="queue">${rows.map((row) => entry(summaryOf(row, at), now))}</ol>`}
${mayAsk ? askForm(visitor, session, await proofOf(ports, visitor)) : ''}`,
    };
  },
});

function entry(one: BreakGlassSummary, now: number): Html {
  const tag = one.status === 'active' || one.overdue ? ' danger' : one.status === 'requested' ? ' warn' : '';
  return html`<li class="entry" data-entry><div class="what"><h2><a href="/console/break-glass/${one.id}">${one.incident}</a></h2>
<p class="quiet">${one.tools.join(', ')} for a task of ${one.agent} · ${peopleOf(one)} · ${moment(one.requested_at, now)}</p></div>
<div class="state"><span class="tag${tag}">${one.overdue ? 'review overdue' : states[one.status].toLowerCase()}</span><p class="deadline">${deadline(one, now)}</p></div></li>`;
}

const peopleOf = ({ initiator, confirmer }: BreakGlassSummary): string => (confirmer ? `${initiator.name} and ${confirmer.name}` : initiator.name);

function deadline(one: BreakGlassSummary, now: number): Html | '' {
  if (one.status === 'requested') return html`lapses in ${until(one.confirm_by, now)}`;
  if (one.status === 'active' && one.not_after !== null) return html`ends in ${until(one.not_after, now)}`;
  if (one.review) return html`reviewed by ${one.review.name}`;
  return one.review_due === null ? '' : html`review by ${moment(one.review_due, now)}`;
}

/** How they show that they are there: by a fresh login, else by their passkey, if they have one. */
type Proof = 'login' | 'passkey' | 'none';
async function proofOf(ports: Ports, { person }: Visitor): Promise<Proof> {
  if (isFreshLogin(person, ports.clock())) return 'login';
  return (await hasSigningKey(ports, person)) ? 'passkey' : 'none';
}

const proofWords = ({ person }: Visitor, proof: Proof): Html => {
  const again = html`<a href="/console/login?${new URLSearchParams({ tenant: person.tenant, to: '/console/break-glass' }).toString()}">log in again</a>`;
  if (proof === 'login') return html`Your login is younger than five minutes, which is needed.`;
  return proof === 'passkey' ? html`Your passkey is needed, or ${again}.` : html`Your login is older than five minutes: ${again} first.`;
};
const signing = (proof: Proof, path: string): Html => (proof === 'passkey' ? html` data-sign="/console${path}/challenge" data-into="assertion"` : html``);
const unsigned = html`<input type="hidden" name="assertion" value=""><p class="confirm" role="status" hidden></p>`;

const askForm = (
  visitor: Visitor,
  session: string,
  proof: Proof,
): Html => html`<details class="other"${session === '' ? '' : html` open`}><summary>Ask for it</summary>
${form(
  visitor,
  '/break-glass',
  html`<p class="quiet">Nothing is open until a second person confirms. ${proofWords(visitor, proof)} When it ends, the task ends.</p>
<label>Task <input name="session" required maxlength="200" value="${session}"></label>
<label>Tools, by name <input name="tools" required maxlength="400"></label>
<label>Number of the incident <input name="incident" required maxlength="64"></label>
<label>Why it cannot wait <textarea name="reason" required minlength="10" maxlength="500" rows="3"></textarea></label>
<label>Minutes <input name="minutes" type="number" required min="1" max="${longestLifetimeMs / minute}" value="${usualLifetimeMs / minute}"></label>
<label>Calls <input name="calls" type="number" required min="1" max="${mostCalls}" value="${usualCalls}"></label>
<label>Amount they may move in all <input name="amount" inputmode="decimal" required pattern="[0-9]+([.][0-9]{1,4})?" value="0"></label>
${unsigned}<button${signing(proof, '/break-glass')}>Ask a second person</button>`,
)}</details>`;

/** One of them: what is or was open, to whom, by whom, and what is left to do. */
export const breakGlassPage = page({
  path: '/break-glass/:id',
  access: 'named',
  async show(ports, visitor, { param }) {
    const row = await seeBreakGlass(ports, visitor, param('id'));
    if (!row) return notHere();
    const at = ports.clock();
    const now = Math.floor(at / 1000);
    const one = summaryOf(row, at);
    const rotate = await toRotate(ports, row);
    return {
      title: `Break-glass for ${one.incident}`,
      body: html`<div class="decision-page"><article><header class="lead"><p class="quiet">Break-glass</p><h1>${one.incident}</h1></header>
${one.overdue ? html`<p class="callout">Its review is overdue. Until it is closed there is no other break-glass here.</p>` : ''}
<section class="part" aria-labelledby="what"><h2 id="what">What it opens</h2><dl class="facts">
<dt>Task</dt><dd><a href="/console/sessions/${one.session}">a task of ${one.agent}</a></dd>
<dt>Tools</dt><dd><ul class="plain">${one.tools.map((tool) => html`<li>${toolWords(visitor.snapshot, tool)} <code>${tool}</code></li>`)}</ul></dd>
<dt>For</dt><dd>${spanOf(one.lifetime)} from its confirmation on</dd><dt>Why</dt><dd>${visibly(one.reason)}</dd><dt>Asked by</dt><dd>${one.initiator.name} <span class="quiet">${moment(one.requested_at, now)}</span></dd>
<dt>Confirmed by</dt><dd>${one.confirmer === null ? 'nobody' : html`${one.confirmer.name} <span class="quiet">${moment(one.activated_at ?? 0, now)}</span>`}</dd></dl></section>
<section class="part" aria-labelledby="used"><h2 id="used">What was done with it</h2><dl class="facts"><dt>Calls</dt><dd>${one.calls.used} of ${one.calls.limit}</dd>
<dt>Amounts</dt><dd>${one.amount.used} of ${one.amount.limit}</dd><dt>First used</dt><dd>${one.first_used_at === null ? 'never' : moment(one.first_used_at, now)}</dd>
${one.ended_at === null ? '' : html`<dt>Over since</dt><dd>${moment(one.ended_at, now)}</dd>`}
${rotate.length === 0 ? '' : html`<dt>To be set anew</dt><dd>${rotate.map((name) => html`<code>${name}</code> `)}</dd>`}
${one.review === null ? '' : html`<dt>${one.review.name} found</dt><dd>${visibly(one.review.finding)}</dd>`}</dl></section></article>
<aside class="decide" aria-label="State"><p><strong>${states[one.status]}</strong><br>${deadline(one, now)}</p>${stepsOf(visitor, one, await proofOf(ports, visitor))}<details class="digest"><summary>Its id</summary><code>${one.id}</code></details></aside></div>`,
    };
  },
});

/** Whoever may not take a step is told why by the step itself. */
function stepsOf(visitor: Visitor, one: BreakGlassSummary, proof: Proof): Html | '' {
  const path = `/break-glass/${one.id}`;
  const end = html`<details class="other"><summary>${one.status === 'requested' ? 'Take it back' : 'End it'}</summary>${form(visitor, `${path}/end`, html`${one.status === 'active' ? html`<p class="quiet">The task ends with it.</p>` : ''}<label>Why <input name="reason" required minlength="3" maxlength="500"></label><button class="deny">${one.status === 'requested' ? 'Take it back' : 'End it with its task'}</button>`)}</details>`;
  switch (one.status) {
    case 'requested':
      return html`${one.initiator.person === visitor.person.id ? html`<p class="quiet">A second person confirms it.</p>` : form(visitor, `${path}/confirm`, html`<p class="quiet">You confirm exactly what stands here. ${proofWords(visitor, proof)}</p>${unsigned}<button${signing(proof, path)}>Confirm: open it</button>`)}${end}`;
    case 'active':
      return end;
    case 'ended':
      return one.review === null && (visitor.standing.roles.has('admin') || visitor.standing.roles.has('auditor'))
        ? html`<details class="other"><summary>Review it</summary>${form(visitor, `${path}/review`, html`<p class="quiet">For somebody who took no part, once what it touched was set anew.</p><label>What you found <textarea name="finding" required minlength="10" maxlength="500" rows="4"></textarea></label><button>Close the review</button>`)}</details>`
        : '';
    case 'lapsed':
      return '';
  }
}
