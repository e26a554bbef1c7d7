import { html } from 'hono/html';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { DispatchRow } from '../../store/index.ts';
import type { Html } from '../page.ts';
import { moment, spanOf } from './times.ts';
import { outcomeWords, toolWords } from './words.ts';

/** Calls of one task, oldest first, as a line one reads down. */
export function timeline(snapshot: Pick<TenantSnapshot, 'tools'>, calls: readonly DispatchRow[], now: number): Html {
  return html`<ol class="timeline">${calls.toReversed().map(({ tool, status, approval, dispatchedAt, settledAt }) => {
    const effect = snapshot.tools.get(tool)?.manifest.effect ?? 'write';
    const took =
      settledAt === null
        ? ''
        : html` <span class="quiet">in ${settledAt - dispatchedAt < 1000 ? `${settledAt - dispatchedAt} ms` : spanOf((settledAt - dispatchedAt) / 1000)}</span>`;
    return html`<li class="call-${status} effect-${effect}">${moment(Math.floor(dispatchedAt / 1000), now)} <span class="did">${toolWords(snapshot, tool)}</span> <code class="quiet">${tool}</code> ${outcomeWords[status]}${took}${approval === null ? '' : html` <a href="/console/approvals/${approval}">approved by people</a>`}</li>`;
  })}</ol>`;
}
