import { html } from 'hono/html';
import { z } from 'zod';
import { type ChangeSummary, changeStatus, listChanges } from '../../changes/index.ts';
import { type Html, page, type Visitor } from '../page.ts';
import { moment, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { changeWords, nameOf } from '../parts/words.ts';

const atOnce = 50;

/** What widens and waits for a second admin, and what became of what did. */
export const changesPage = page({
  path: '/changes',
  nav: 'Changes',
  access: ['admin', 'auditor'],
  query: z.object({ status: changeStatus.catch('pending').default('pending'), after: z.string().max(200).optional().catch(undefined) }),
  async show(ports, visitor, { values: { status, after } }) {
    const { items, next } = await listChanges(ports, visitor.person.tenant, { status, after: after ?? null, limit: atOnce });
    const now = Math.floor(ports.clock() / 1000);
    const more = new URLSearchParams({ status, after: next ?? '' });
    return {
      title: status === 'pending' && items.length > 0 ? `(${items.length}) Changes` : 'Changes',
      live: 'changes',
      body: html`<div class="heading"><h1>${status === 'pending' ? 'Waiting for a second admin' : changeWords[status]}</h1>
<p class="quiet keys" hidden><kbd>J</kbd> <kbd>K</kbd> move · <kbd>Enter</kbd> open</p></div>
${choice(status)}
${status === 'pending' ? held(visitor) : ''}
${items.length === 0 ? empty(status) : html`<ol class="queue">${items.map((one) => entry(visitor, one, now))}</ol>`}
${next === null ? '' : html`<p><a class="button" href="/console/changes?${more.toString()}">Older</a></p>`}`,
    };
  },
});

/** Tools that are not what was registered: nothing waits yet, and only an admin can make it. */
function held({ snapshot }: Visitor): Html | string {
  if (snapshot.quarantined.size === 0) return '';
  const upstreams = [...new Set([...snapshot.quarantined.values()].map(({ upstream }) => upstream))];
  return html`<section aria-label="Held tools"><h2>Held, because they changed at their upstream</h2>
<ul class="plain">${[...snapshot.quarantined].map(([name, { change }]) => html`<li><code>${name}</code> ${change === 'vanished' ? 'is gone' : 'is not as it was pinned'}</li>`)}</ul>
<p class="quiet">Nobody can call them. An admin reads what is different with ${upstreams.map((one) => html`<code>npx taskgate tool diff ${one}</code> `)}and accepts it; that waits here for another.</p></section>`;
}

const choice = (chosen: string): Html =>
  html`<form class="filters" method="get" action="/console/changes" aria-label="Filter"><label>Show <select name="status">${changeStatus.options.map(
    (one) => html`<option value="${one}"${one === chosen ? html` selected` : ''}>${changeWords[one]}</option>`,
  )}</select></label><button>Filter</button></form>`;

const empty = (status: string): Html =>
  status === 'pending'
    ? html`<section class="empty"><p><strong>Nothing waits for a second admin.</strong></p><p class="quiet">What gives more than there was appears here before it takes effect.</p></section>`
    : html`<section class="empty"><p>Nothing here.</p></section>`;

function entry({ snapshot }: Visitor, one: ChangeSummary, now: number): Html {
  const waits = one.status === 'pending';
  return html`<li class="entry" data-entry><div class="what"><h2><a href="/console/changes/${one.id}">${visibly(titleOf(one))}</a></h2>
<p class="quiet">asked for by <strong>${visibly(nameOf(snapshot, one.author))}</strong> · ${moment(one.created_at, now)}${one.reason === null ? '' : html` · <q>${visibly(one.reason)}</q>`}</p></div>
<div class="state"><p class="deadline">${waits ? html`expires in ${until(one.expires_at, now)}` : changeWords[one.status]}</p></div></li>`;
}

/** What it is about, by its first item. */
export function titleOf({ items }: Pick<ChangeSummary, 'items'>): string {
  const [first] = items;
  if (!first) return 'Nothing';
  return `${first.kind} ${first.name}${items.length > 1 ? ` and ${items.length - 1} more` : ''}`;
}
