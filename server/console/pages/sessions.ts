import { html } from 'hono/html';
import { z } from 'zod';
import { maySeeSession } from '../../sessions/index.ts';
import { type SessionRow, scanPages } from '../../store/index.ts';
import { type Html, page, type Visitor } from '../page.ts';
import { moment, until } from '../parts/times.ts';
import { nameOf } from '../parts/words.ts';

const views = { active: 'Live', suspended: 'Suspended', ended: 'Ended', revoked: 'Revoked' } as const;
const atOnce = 50;

/** The tenant's tasks; without a role, those one sponsors. */
export const sessionsPage = page({
  path: '/sessions',
  nav: 'Sessions',
  access: 'named',
  query: z.object({
    status: z.enum(['active', 'suspended', 'ended', 'revoked']).catch('active').default('active'),
    agent: z.string().max(64).catch('').default(''),
    after: z.string().max(200).optional().catch(undefined),
  }),
  async show(ports, visitor, { values: { status, agent, after } }) {
    const { person, standing } = visitor;
    const { items, next } = await scanPages(
      (at) => ports.store.listSessions(person.tenant, { status, ...(agent === '' ? {} : { agent }) }, at),
      { after: after ?? null, limit: atOnce },
      (row) => (maySeeSession(standing, row) ? row : null),
    );
    const now = Math.floor(ports.clock() / 1000);
    const more = new URLSearchParams({ status, agent, after: next ?? '' });
    return {
      title: 'Sessions',
      body: html`<div class="heading"><h1>Sessions</h1></div>${filters(visitor, status, agent)}
${items.length === 0 ? html`<section class="empty"><p>${status === 'active' ? 'No task runs now.' : 'Nothing here.'}</p></section>` : html`<ol class="queue">${items.map((row) => entry(visitor, row, now))}</ol>`}
${next === null ? '' : html`<p><a class="button" href="/console/sessions?${more.toString()}">Older</a></p>`}`,
    };
  },
});

const filters = (
  { snapshot }: Visitor,
  status: string,
  agent: string,
): Html => html`<form class="filters" method="get" action="/console/sessions" aria-label="Filter">
<label>Show <select name="status">${Object.entries(views).map(([key, words]) => html`<option value="${key}"${key === status ? html` selected` : ''}>${words}</option>`)}</select></label>
<label>Agent <select name="agent"><option value="">all</option>${[...snapshot.agents.keys()].map((name) => html`<option${name === agent ? html` selected` : ''}>${name}</option>`)}</select></label>
<button>Filter</button></form>`;

function entry({ snapshot }: Visitor, row: SessionRow, now: number): Html {
  const live = row.status === 'active' || row.status === 'suspended';
  return html`<li class="entry" data-entry><div class="what"><h2><a href="/console/sessions/${row.id}">${snapshot.useCases.get(row.useCase)?.document.purpose ?? row.useCase}</a></h2>
<p class="quiet">${row.agent} · ${row.mode === 'autonomous' ? 'autonomous, ' : ''}for <strong>${nameOf(snapshot, row.sponsor)}</strong> · since ${moment(Math.floor(row.openedAt / 1000), now)}</p></div>
<div class="state"><span class="tag${row.status === 'active' ? ' good' : row.status === 'ended' ? '' : ' danger'}">${views[row.status].toLowerCase()}</span>
<p class="deadline">${live ? html`ends in ${until(Math.floor(row.expiresAt / 1000), now)}` : (row.endReason ?? '')}</p></div></li>`;
}
