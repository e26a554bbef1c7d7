import { html } from 'hono/html';
import { sensitivities } from '../../../policies/index.ts';
import type { Html } from '../page.ts';

/** Small plots, drawn here and told in words beside them; colours stand in the stylesheet. */

const round = (value: number): number => Math.round(value * 10) / 10;

/** How much of a budget is used. */
export function budgetBar(used: number, limit: number, what: string): Html {
  const part = limit <= 0 ? 1 : Math.min(1, used / limit);
  return html`<figure class="chart"><figcaption>${used.toLocaleString('en')} of ${limit.toLocaleString('en')} ${what}</figcaption>
<svg class="plot" viewBox="0 0 320 12" role="img" aria-label="${Math.round(part * 100)} percent used" preserveAspectRatio="none"><rect class="track" width="320" height="12" rx="6"/><rect class="bar${part > 0.9 ? ' no' : ''}" width="${round(320 * part)}" height="12" rx="6"/></svg></figure>`;
}

type Sensitivity = (typeof sensitivities)[number];

/** What a task has read against what it may read at most. */
export function labelScale(read: Sensitivity, ceiling: Sensitivity): Html {
  const [at, most] = [sensitivities.indexOf(read), sensitivities.indexOf(ceiling)];
  return html`<figure class="chart"><figcaption>Has read ${read}; may read ${ceiling} at most</figcaption>
<svg class="plot" viewBox="0 0 320 40" role="img" aria-label="Sensitivity ${read}, ceiling ${ceiling}">${sensitivities.map(
    (name, step) =>
      html`<rect class="${step <= at ? 'bar' : 'track'}" x="${step * 80 + 1}" width="78" height="12" rx="3"/><text x="${step * 80 + 40}" y="30" text-anchor="middle">${name}</text>`,
  )}<line class="limit" x1="${(most + 1) * 80 - 1}" x2="${(most + 1) * 80 - 1}" y1="0" y2="18"/></svg></figure>`;
}

export interface Dot {
  readonly row: string;
  /** Seconds. */
  readonly took: number;
  readonly good: boolean;
}

const ticks: readonly (readonly [number, string])[] = [
  [1, '1 s'],
  [10, '10 s'],
  [60, '1 min'],
  [600, '10 min'],
  [3_600, '1 h'],
  [36_000, '10 h'],
];
const [left, wide, line] = [120, 640, 30];

/** Time to decide, one line a row, on a logarithmic axis from a second to a day. */
export function timesPlot(rows: readonly string[], dots: readonly Dot[]): Html {
  const x = (seconds: number): number => round(left + ((wide - left - 20) * Math.log10(Math.min(86_400, Math.max(1, seconds)))) / Math.log10(86_400));
  const height = rows.length * line + 34;
  return html`<svg class="plot" viewBox="0 0 ${wide} ${height}" role="img" aria-label="Time to decide of each reviewer; the table says the same in numbers">
${ticks.map(([at, words]) => html`<line x1="${x(at)}" x2="${x(at)}" y1="0" y2="${height - 24}"/><text x="${x(at)}" y="${height - 8}" text-anchor="middle">${words}</text>`)}
<line class="limit" x1="${x(3)}" x2="${x(3)}" y1="0" y2="${height - 24}"/>
${rows.map((name, at) => html`<text x="0" y="${at * line + 20}">${name.length > 16 ? `${name.slice(0, 15)}…` : name}</text>`)}
${dots.map(({ row, took, good }) => html`<circle class="dot${good ? '' : ' no'}" cx="${x(took)}" cy="${rows.indexOf(row) * line + 16}" r="5"/>`)}</svg>`;
}

/** Approvals and denials of each day. */
export function daysPlot(days: readonly { readonly day: string; readonly yes: number; readonly no: number }[]): Html {
  const most = Math.max(1, ...days.map(({ yes, no }) => yes + no));
  const step = round(620 / Math.max(1, days.length));
  return html`<svg class="plot" viewBox="0 0 640 130" role="img" aria-label="Decisions of each day, at most ${most}">${days.map(({ day, yes, no }, at) => {
    const [up, down] = [round((yes / most) * 100), round((no / most) * 100)];
    return html`<g><title>${day}: ${yes} approved, ${no} denied</title><rect class="bar yes" x="${round(at * step)}" y="${round(104 - up)}" width="${round(step * 0.8)}" height="${up}"/><rect class="bar no" x="${round(at * step)}" y="${round(104 - up - down)}" width="${round(step * 0.8)}" height="${down}"/></g>`;
  })}<line x1="0" x2="640" y1="105" y2="105"/><text x="0" y="124">${days[0]?.day ?? ''}</text><text x="620" y="124" text-anchor="end">${days.at(-1)?.day ?? ''}</text></svg>`;
}
