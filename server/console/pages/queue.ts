import { html } from 'hono/html';
import { z } from 'zod';
import { type ApprovalBatch, type ApprovalSummary, approvalStatus, listApprovals, listBatches } from '../../approvals/index.ts';
import { type Html, page, type Visitor } from '../page.ts';
import { moment, until } from '../parts/times.ts';
import { requirementWords, statusWords, toolWords } from '../parts/words.ts';

const views = { mine: 'For me', pending: 'Everything waiting', approved: 'Approved', used: 'Run', denied: 'Denied', expired: 'Expired' } as const;
const atOnce = 50;

/** What waits for this person, the most pressing first. */
export const queuePage = page({
  path: '/',
  nav: 'Queue',
  access: 'named',
  query: z.object({
    view: z.enum(['mine', ...approvalStatus.options]).catch('mine'),
    agent: z.string().max(64).catch('').default(''),
    tool: z.string().max(64).catch('').default(''),
    after: z.string().max(200).optional().catch(undefined),
  }),
  async show(ports, visitor, { values }) {
    const { view, agent, tool, after } = values;
    const { items, next } = await listApprovals(ports, visitor.person, { status: view === 'mine' ? null : view, after: after ?? null, limit: atOnce });
    const wanted = items.filter((one) => (agent === '' || one.agent === agent) && (tool === '' || one.tool === tool));
    const sorted = view === 'mine' || view === 'pending' ? wanted.toSorted((a, b) => a.expires_at - b.expires_at) : wanted;
    const batches = view === 'mine' && items.length > 1 ? await listBatches(ports, visitor.person) : [];
    const now = Math.floor(ports.clock() / 1000);
    const more = new URLSearchParams({ view, agent, tool, after: next ?? '' });
    return {
      title: view === 'mine' && items.length > 0 ? `(${items.length}) Queue` : 'Queue',
      live: 'approvals',
      body: html`<div class="heading"><h1>${view === 'mine' ? 'Waiting for you' : (views[view as keyof typeof views] ?? view)}</h1>
<p class="quiet keys" hidden><kbd>J</kbd> <kbd>K</kbd> move · <kbd>Enter</kbd> open</p></div>
${filters(visitor, values)}${batches.length === 0 ? '' : alike(visitor, batches)}
${sorted.length === 0 ? empty(view, agent !== '' || tool !== '') : html`<ol class="queue">${sorted.map((one) => entry(visitor, one, now))}</ol>`}
${next === null ? '' : html`<p><a class="button" href="/console?${more.toString()}">Older</a></p>`}`,
    };
  },
});

const alike = (visitor: Visitor, batches: readonly ApprovalBatch[]): Html =>
  html`<ul class="plain">${batches.map(
    ({ approvals, tool, agent }) =>
      html`<li><a href="/console/batches/${approvals[0]?.id}">Look at ${approvals.length} calls alike together</a> <span class="quiet">${toolWords(visitor.snapshot, tool)} · ${agent}</span></li>`,
  )}</ul>`;

function filters(visitor: Visitor, { view, agent, tool }: { readonly view: string; readonly agent: string; readonly tool: string }): Html {
  const options = (names: Iterable<string>, chosen: string): Html =>
    html`<option value="">all</option>${[...names].map((name) => html`<option${name === chosen ? html` selected` : ''}>${name}</option>`)}`;
  return html`<form class="filters" method="get" action="/console" aria-label="Filter">
<label>Show <select name="view">${Object.entries(views).map(([key, words]) => html`<option value="${key}"${key === view ? html` selected` : ''}>${words}</option>`)}</select></label>
<label>Agent <select name="agent">${options(visitor.snapshot.agents.keys(), agent)}</select></label>
<label>Tool <select name="tool">${options(visitor.snapshot.tools.keys(), tool)}</select></label>
<button>Filter</button></form>`;
}

function empty(view: string, filtered: boolean): Html {
  if (filtered)
    return html`<section class="empty"><p>Nothing matches this filter.</p><p><a href="/console">Show everything that waits for you</a></p></section>`;
  if (view !== 'mine') return html`<section class="empty"><p>Nothing here.</p></section>`;
  return html`<section class="empty"><svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true"><circle cx="24" cy="24" r="20"/><path d="m15 25 6 6 12-14"/></svg>
<p><strong>Nothing waits for you.</strong></p><p class="quiet">A call that policy wants you to look at appears here by itself.</p></section>`;
}

function entry({ snapshot }: Visitor, one: ApprovalSummary, now: number): Html {
  const waits = one.status === 'pending';
  const effect = snapshot.tools.get(one.tool)?.manifest.effect;
  return html`<li class="entry" data-entry><div class="what"><h2><a href="/console/approvals/${one.id}">${toolWords(snapshot, one.tool)}</a></h2>
<p class="quiet"><code>${one.tool}</code> · asked by <strong>${one.agent}</strong> · ${moment(one.created_at, now)}</p></div>
<div class="state">${effect === 'destructive' ? html`<span class="tag danger">cannot be undone</span>` : ''}
<ul class="agree">${one.requirements.map(
    ({ requirement, needed, given }) => html`<li>${given} of ${needed}<span class="quiet"> · ${requirementWords(requirement)}</span></li>`,
  )}</ul>
<p class="deadline">${waits ? html`expires in ${until(one.expires_at, now)}` : statusWords[one.status]}</p></div></li>`;
}
