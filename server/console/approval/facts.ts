import { html } from 'hono/html';
import type { Proposal } from '../../approvals/index.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Html } from '../page.ts';
import { visibly } from '../parts/visible.ts';
import { effectWords, labelWords, nameOf, principalWords, reachWords, requirementWords } from '../parts/words.ts';

type Snapshot = Pick<TenantSnapshot, 'document'>;

/** What will happen: the words the registrant gave the tool, never the agent's. */
export const whatSection = (proposal: Proposal): Html => html`<header class="lead"><p class="quiet">What will happen</p>
<h1>${proposal.says === null ? html`Calls <code>${proposal.tool}</code>` : visibly(proposal.says)}</h1>
<p class="tags"><span class="tag${proposal.effect === 'destructive' ? ' danger' : ''}">${effectWords[proposal.effect]}</span>
<span class="tag${proposal.reaches === 'external' ? ' warn' : ''}">${reachWords[proposal.reaches]}</span> <code class="quiet">${proposal.tool}</code></p>
${proposal.says === null ? html`<p class="quiet">No words are registered for this tool; its name promises nothing.</p>` : ''}</header>`;

/** What for. Words of the agent stand at the end of the page, not here. */
export function taskSection(snapshot: Snapshot, proposal: Proposal): Html {
  const { purpose, use_case, objective, inputs, attested_by: by, sponsor } = proposal;
  const who = by === 'sponsor' ? nameOf(snapshot, sponsor) : by;
  return html`<section class="part" aria-labelledby="task"><h2 id="task">The task</h2><dl class="facts">
<dt>Purpose</dt><dd>${purpose} <span class="quiet">(${use_case}, approved by an admin)</span></dd>
${
  by === 'agent'
    ? html`<dt>Objective, inputs</dt><dd>Given by the agent itself: they weigh nothing and stand at the end of this page.</dd>`
    : html`
<dt>Objective</dt><dd>${objective === '' ? 'none was given' : visibly(objective)} <span class="quiet">in the words of ${by === 'sponsor' ? html`the sponsor, ${who}` : 'the orchestrator'}</span></dd>
<dt>Inputs</dt><dd>${inputsOf(inputs)} <span class="quiet">attested by the ${by}</span></dd>`
}</dl></section>`;
}

export function inputsOf(inputs: Readonly<Record<string, unknown>>): Html {
  const all = Object.entries(inputs);
  if (all.length === 0) return html`none`;
  return html`${all.map(([name, value]) => html`<span class="input"><code>${visibly(name)}</code> ${visibly(typeof value === 'string' ? value : JSON.stringify(value))}</span> `)}`;
}

export const peopleSection = (
  snapshot: Snapshot,
  { agent, owner, sponsor, principal }: Proposal,
): Html => html`<section class="part" aria-labelledby="who"><h2 id="who">Who</h2><dl class="facts">
<dt>Agent</dt><dd>${agent}</dd><dt>Owner</dt><dd>${owner} <span class="quiet">answers for the agent</span></dd>
<dt>Sponsor</dt><dd>${nameOf(snapshot, sponsor)} <span class="quiet">${sponsor}; answers for this task</span></dd>
<dt>The other side sees</dt><dd>${principalWords[principal]}</dd></dl></section>`;

export const dataSection = ({ label, reaches }: Proposal): Html => html`<section class="part" aria-labelledby="data"><h2 id="data">What it has read</h2>
<p>This task has read ${labelWords(label)}.</p>
${label.integrity === 'external' && reaches === 'external' ? html`<p class="callout">Read the arguments as if an outsider had chosen them.</p>` : ''}</section>`;

export const policySection = ({ policies, requirements }: Proposal): Html =>
  html`<section class="part" aria-labelledby="policy"><h2 id="policy">Why you are asked</h2><ul class="plain">${policies.map(
    ({ id, reason }) => html`<li>${visibly(reason ?? 'A policy without stated reason')} <code class="quiet">${id}</code></li>`,
  )}</ul><p class="quiet">It asks for ${requirements.map(requirementWords).join('; ')}.</p></section>`;

/** What nobody and nothing looked at, so that its absence above is not taken for a check. */
export function unknownsSection(proposal: Proposal, compared: boolean): Html {
  const encoded = Object.entries(proposal.arguments).filter(([, value]) => typeof value === 'string' && looksEncoded(value));
  const unknowns = [
    html`Where a value came from is said beside it where it is traced; one that is not may come from the sponsor, from what was read, or from the agent.`,
    html`What the other side does with it is known only by what was registered for the tool.`,
    ...(compared ? [] : [html`The values were compared with no earlier call: what a call held is deleted when its approval expires.`]),
    ...encoded.map(([name]) => html`<code>${visibly(name)}</code> looks encoded; what is inside was not looked at.`),
  ];
  return html`<section class="part" aria-labelledby="unknown"><h2 id="unknown">What was not analysed</h2><ul class="plain">${unknowns.map((one) => html`<li>${one}</li>`)}</ul></section>`;
}

const looksEncoded = (text: string): boolean =>
  /^data:/i.test(text) || /^(?:[A-Za-z0-9+/_-]{64,}={0,2}|(?:%[0-9A-Fa-f]{2}){8,})$/.test(text.slice(0, 4_096).trim());

/** Last, and fenced off: text of the agent's own choosing. */
export function agentWords({ attested_by, objective, inputs }: Proposal): Html {
  if (attested_by !== 'agent')
    return html`<section class="part untrusted" aria-labelledby="said"><h2 id="said">The agent’s own words</h2><p>None came with this call.</p></section>`;
  return html`<section class="part untrusted" aria-labelledby="said"><h2 id="said">The agent’s own words <span class="tag danger">untrusted</span></h2>
<p class="quiet">Nobody vouches for this. It may have been written to persuade you; decide as if it were not here.</p>
<blockquote><p>${objective === '' ? 'no objective' : visibly(objective)}</p><p>Inputs: ${inputsOf(inputs)}</p></blockquote></section>`;
}
