import { html } from 'hono/html';
import { z } from 'zod';
import { autonomyOf } from '../../audit/index.ts';
import type { DecisionRow } from '../../store/index.ts';
import { type Half, measureDecisions, rubberStamps, tookOf } from '../history/measure.ts';
import { type Html, page, type Visitor } from '../page.ts';
import { daysPlot, timesPlot } from '../parts/charts.ts';
import { moment, spanOf } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { rungWords, toolWords } from '../parts/words.ts';

const dayMs = 86_400_000;
const mostDecisions = 2_000;
const listed = 50;

/** What was decided, by whom, how fast, and how often people had to be asked at all. */
export const historyPage = page({
  path: '/history',
  nav: 'History',
  access: ['reviewer', 'admin', 'auditor'],
  query: z.object({ days: z.coerce.number().pipe(z.int().min(1).max(90)).catch(30).default(30) }),
  async show(ports, visitor, { values: { days } }) {
    const { person, standing, snapshot } = visitor;
    const now = ports.clock();
    const since = now - days * dayMs;
    const whole = standing.roles.has('admin') || standing.roles.has('auditor');
    const [decisions, asked] = await Promise.all([ports.store.listDecisions(person.tenant, since, mostDecisions), autonomyOf(ports.store, snapshot, since)]);
    // Of others a reviewer sees nothing here.
    const mine = whole ? decisions : decisions.filter((one) => one.person === person.id);
    const { effects, autonomy, tasks, approvals, approvals_per_task: perTask } = asked;
    const all = Object.values(effects).reduce((sum, one) => sum + one, 0);
    const given = effects.standing + effects.remembered;
    const reviewers = measureDecisions(mine, ({ name }) => name);
    return {
      title: 'History',
      body: html`<div class="heading"><h1>History</h1>${choice(days)}</div>
<section class="figures" aria-label="How often people are asked">
<div><strong>${autonomy === null ? '–' : `${Math.round(autonomy * 100)} %`}</strong>autonomy <span class="quiet">${all - effects.votes - effects.break_glass} of ${all} effects ran without asking anyone${given === 0 ? '' : `, ${given} of them by what had been given before`}</span></div>
<div><strong>${perTask === null ? '–' : perTask.toFixed(1)}</strong>approvals a task <span class="quiet">${approvals} in ${tasks} tasks</span></div>
<div><strong>${mine.length}</strong>decisions <span class="quiet">${whole ? 'of everybody' : 'of yours'}, in ${days} days</span></div></section>
${rubberStamps(reviewers).map(({ name, approved, median }) => html`<p class="callout"><strong>${name}</strong> approves ${Math.round(approved * 100)} % at a median of ${spanOf(median)}: nobody reads that fast. Ask for fewer decisions, or for other reviewers.</p>`)}
${mine.length === 0 ? html`<section class="empty"><p>Nothing was decided in these ${days} days.</p></section>` : tables(visitor, mine, reviewers, now)}`,
    };
  },
});

const choice = (days: number): Html =>
  html`<form class="filters" method="get" action="/console/history"><label>Of the last <select name="days">${[7, 30, 90].map(
    (one) => html`<option value="${one}"${one === days ? html` selected` : ''}>${one} days</option>`,
  )}</select></label><button>Show</button></form>`;

function tables({ snapshot }: Visitor, mine: readonly DecisionRow[], reviewers: readonly Half[], now: number): Html {
  const tools = measureDecisions(mine, ({ tool }) => tool);
  const dots = mine.slice(0, 500).map((one) => ({ row: one.name, took: tookOf(one), good: one.decision === 'approve' }));
  return html`<section class="part" aria-labelledby="days"><h2 id="days">Decisions a day</h2>${daysPlot(byDay(mine, now))}</section>
<section class="part" aria-labelledby="times"><h2 id="times">Time to decide</h2>${timesPlot(
    reviewers.map(({ name }) => name),
    dots,
  )}
<p class="quiet">From when the console showed it to them; where they decided elsewhere, from when it was asked. The dashed line is three seconds.</p>
${table('Reviewer', reviewers, (name) => html`${name}`)}</section>
<section class="part" aria-labelledby="tools"><h2 id="tools">By tool</h2>${table('Tool', tools, (name) => html`${toolWords(snapshot, name)} <code class="quiet">${name}</code>`)}</section>
<section class="part" aria-labelledby="latest"><h2 id="latest">Latest</h2><div class="scroll" tabindex="0" role="region" aria-label="Latest decisions"><table><thead><tr><th>When</th><th>Who</th><th>Decided</th><th>What</th><th>Reason</th></tr></thead><tbody>${mine
    .slice(0, listed)
    .map(
      (one) =>
        html`<tr><td>${moment(Math.floor(one.at / 1000), Math.floor(now / 1000))}</td><td>${one.name}</td><td><span class="vote-${one.decision}">${one.decision === 'approve' ? 'approved' : 'denied'}</span> <span class="quiet">in ${spanOf(tookOf(one))}</span></td><td><a href="/console/approvals/${one.approval}">${toolWords(snapshot, one.tool)}</a>${one.rung === null ? '' : html` <span class="quiet">${rungWords[one.rung]}</span>`}</td><td>${visibly(one.reason ?? '')}</td></tr>`,
    )}</tbody></table></div></section>`;
}

const table = (first: string, halves: readonly Half[], name: (key: string) => Html): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Table by ${first.toLowerCase()}"><table><thead><tr><th>${first}</th><th class="number">Decisions</th><th class="number">Approved</th><th class="number">Median time</th></tr></thead><tbody>${halves.map(
    (one) =>
      html`<tr><td>${name(one.name)}</td><td class="number">${one.count}</td><td class="number">${Math.round(one.approved * 100)} %</td><td class="number">${spanOf(one.median)}</td></tr>`,
  )}</tbody></table></div>`;

/** Every day from the first decision on, the quiet ones too. */
function byDay(decisions: readonly DecisionRow[], now: number): { day: string; yes: number; no: number }[] {
  const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
  const of = Map.groupBy(decisions, ({ at }) => dayOf(at));
  const first = Math.min(now - 13 * dayMs, decisions.at(-1)?.at ?? now);
  return Array.from({ length: Math.round((now - first) / dayMs) + 1 }, (_, back) => dayOf(first + back * dayMs)).map((day) => {
    const all = of.get(day) ?? [];
    const yes = all.filter(({ decision }) => decision === 'approve').length;
    return { day, yes, no: all.length - yes };
  });
}
