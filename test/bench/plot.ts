import { type Ratios, type Report, ratiosOf, rowOf } from './report.ts';
import { callers } from './scenes/rows.ts';
import { figure } from './tables.ts';

interface Panel {
  readonly title: string;
  readonly note: string;
  readonly key: keyof Ratios;
  readonly goal: number;
}
const panels: readonly Panel[] = [
  { title: 'p50, 1 caller', note: 'lower is better', key: 'p50_c1', goal: 2 },
  { title: `p99, ${callers} callers`, note: 'lower is better', key: 'p99_c32', goal: 2 },
  { title: 'calls/s', note: 'higher is better', key: 'throughput', goal: 0.6 },
];

const [width, names, gap, top, step, bar] = [960, 190, 28, 74, 30, 16];
const panelWidth = (width - names - gap * panels.length) / panels.length;

/** The rows as ratios beside the proxy, which is 1, with the goal of each panel; null when the run had no proxy to compare with. */
export function drawPlot(report: Report): string | null {
  const floor = rowOf(report, 'proxy');
  if (!floor) return null;
  // With the bare upstream among them, the bars that matter would have no room.
  const rows = report.rows.filter(({ name }) => name !== 'direct').map((row) => ({ name: row.name, ratios: ratiosOf(row, floor) }));
  const height = top + rows.length * step + 46;
  const bottom = top + rows.length * step;
  const drawn = panels.map(({ title, note, key, goal }, index) => {
    const left = names + index * (panelWidth + gap);
    // Room for the figure behind the longest bar.
    const scale = (panelWidth - 52) / Math.max(goal, ...rows.map(({ ratios }) => ratios[key]));
    const mark = (at: number, kind: string): string => `<line class="${kind}" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${top - 6}" y2="${bottom}"/>`;
    const bars = rows.map(({ name, ratios }, row) => {
      const long = Math.max(1, ratios[key] * scale);
      const y = top + row * step + (step - bar) / 2;
      const kind = name.startsWith('taskgate') ? 'own' : 'other';
      return `<rect class="${kind}" x="${left}" y="${y}" width="${long.toFixed(1)}" height="${bar}" rx="2"/><text x="${(left + long + 6).toFixed(1)}" y="${y + 12}">${figure(ratios[key])}×</text>`;
    });
    return `<text class="title" x="${left}" y="${top - 30}">${title}</text><text class="faint" x="${left}" y="${top - 14}">${note}</text>${mark(left + scale, 'floor')}${mark(left + goal * scale, 'goal')}${bars.join('')}`;
  });
  const labels = rows.map(({ name }, row) => `<text x="0" y="${top + row * step + 19}">${name}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 ${width + 12} ${height}" width="${width + 12}" height="${height}" role="img" aria-label="Taskgate beside a plain proxy, as ratios">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; stroke: #fff; stroke-width: 3px; stroke-linejoin: round; paint-order: stroke } .title { font-weight: 600; font-size: 14px } .faint { fill: #656d76; font-size: 12px }
.own { fill: #2f6fde } .other { fill: #a8b0ba } .floor { stroke: #1f2328; stroke-width: 1.2 } .goal { stroke: #1a7f37; stroke-width: 1.6; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; stroke: #0d1117 } .faint { fill: #9198a1 } .own { fill: #6ea3ff } .other { fill: #5b6570 } .floor { stroke: #e6edf3 } .goal { stroke: #3fb950 } }
</style>
${labels.join('\n')}
${drawn.join('\n')}
<line class="floor" x1="0" x2="22" y1="${height - 18}" y2="${height - 18}"/><text class="faint" x="28" y="${height - 14}">a plain proxy, 1×</text>
<line class="goal" x1="150" x2="172" y1="${height - 18}" y2="${height - 18}"/><text class="faint" x="178" y="${height - 14}">goal of taskgate-sqlite</text>
</svg>
`;
}
