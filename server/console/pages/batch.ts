import { html } from 'hono/html';
import { z } from 'zod';
import { type ApprovalBatch, type ApprovalDetail, decideBatch, listBatches, mostInBatch, type Proposal } from '../../approvals/index.ts';
import { argumentsOf, longOnes } from '../approval/arguments.ts';
import { inputsOf } from '../approval/facts.ts';
import { openShown, sealShown } from '../approval/shown.ts';
import { action, form, type Html, notHere, page, type Refused, type Visitor } from '../page.ts';
import { until } from '../parts/times.ts';
import { hasOdd, visibly } from '../parts/visible.ts';
import { effectWords, labelWords, nameOf, reachWords, requirementWords, toolWords } from '../parts/words.ts';
import { wasOpened } from './approval.ts';

/** Calls alike that wait for this person, beside each other. `:id` is any one of them. Not live: what was chosen must not move under a hand. */
export const batchPage = page({
  path: '/batches/:id',
  access: 'named',
  async show(ports, visitor, { param }) {
    const batch = (await listBatches(ports, visitor.person)).find(({ approvals }) => approvals.some(({ id }) => id === param('id')));
    if (!batch) return notHere();
    const now = Math.floor(ports.clock() / 1000);
    for (const { id } of batch.approvals) await ports.store.noteShown(visitor.person.tenant, id, visitor.person.id, ports.clock());
    const [first] = batch.approvals;
    const proposal = first?.proposal;
    if (!first || !proposal) return notHere();
    const seal = (one: ApprovalDetail): string => sealShown(ports, visitor, one.id, one.digest, []);
    return {
      title: `${batch.approvals.length} calls alike`,
      body: html`<div class="heading"><h1>${batch.approvals.length} × ${toolWords(visitor.snapshot, batch.tool)}</h1></div>
<section class="part" aria-labelledby="same"><h2 id="same">The same in all of them</h2><dl class="facts">
<dt>Tool</dt><dd><code>${batch.tool}</code> <span class="tag${proposal.effect === 'destructive' ? ' danger' : ''}">${effectWords[proposal.effect]}</span> <span class="tag${proposal.reaches === 'external' ? ' warn' : ''}">${reachWords[proposal.reaches]}</span></dd>
<dt>Agent</dt><dd>${batch.agent}, owned by ${proposal.owner}</dd><dt>Use case</dt><dd>${batch.use_case}: ${proposal.purpose}</dd>
<dt>Each has read</dt><dd>${labelWords(proposal.label)}</dd>
<dt>Why you are asked</dt><dd>${proposal.policies.map(({ id, reason }) => html`${visibly(reason ?? id)} `)}</dd>
<dt>Your vote counts toward</dt><dd>${batch.requirements.map(requirementWords).join('; ')}${batch.on_behalf_of.length === 0 ? '' : html`, in the place of <strong>${batch.on_behalf_of[0]}</strong>`}</dd></dl></section>
${form(
  visitor,
  `/batches/${first.id}/decide`,
  html`<ol class="plain batch">${batch.approvals.map((one, at) => item(visitor, batch, one, at, now, seal(one)))}</ol>
<section class="part"><label>Reason for what you approve <span class="quiet">${proposal.effect === 'destructive' ? 'needed: this cannot be undone' : ''}</span> <textarea id="reason" name="reason" rows="2" maxlength="500"></textarea></label>
<label>Reason for what you deny <span class="quiet">needed to deny; the agent reads it</span> <textarea id="denial" name="denial" rows="2" maxlength="500"></textarea></label>
<p class="quiet">Each is a vote of its own, about its own digest, and stands in the record by itself.</p>
<div class="choices"><button class="approve">Cast these votes</button></div></section>`,
  'batch',
)}`,
    };
  },
});

/** Words of the agent stand on the call's own page alone, where they are fenced off. */
const taskWords = ({ attested_by: by, objective, inputs }: Proposal): Html =>
  by === 'agent'
    ? html`Objective and inputs are the agent’s own words, which weigh nothing; they stand on its own page.`
    : html`${objective === '' ? 'No objective was given' : visibly(objective)} <span class="quiet">(${by})</span>; inputs ${inputsOf(inputs)}`;

function item(visitor: Visitor, batch: ApprovalBatch, one: ApprovalDetail, at: number, now: number, shown: string): Html {
  const proposal = one.proposal;
  if (proposal === null) return html``;
  const all = argumentsOf(proposal, null, visitor.snapshot.tools.get(one.tool)?.manifest.targets ?? {});
  const alone = longOnes(all).length > 0 ? 'it has a long argument, which has to be opened' : batch.signed ? 'it has to be signed by your passkey' : null;
  const choice = (vote: string, words: string, checked: boolean): Html =>
    html`<label><input type="radio" name="vote-${at}" value="${vote}"${checked ? html` checked` : ''}> ${words}</label> `;
  return html`<li class="part"><h2><a href="/console/approvals/${one.id}">${at + 1}. for ${nameOf(visitor.snapshot, proposal.sponsor)}</a> <span class="quiet">expires in ${until(one.expires_at, now)}</span></h2>
<dl class="arguments">${all.map(
    ({ name, text, type, target, long }) =>
      html`<div class="argument"><dt><code>${visibly(name)}</code><span class="quiet">${target ?? type}</span></dt><dd><pre class="value" dir="ltr" tabindex="0">${visibly(long ? `${text.slice(0, 160)}…` : text)}</pre>${hasOdd(text) ? html`<p class="tag-line"><span class="tag danger">hidden or misleading characters</span></p>` : ''}</dd></div>`,
  )}</dl>
<p class="quiet">${taskWords(proposal)}</p><p class="quiet">Digest <code>${one.digest.slice(0, 8)}…</code></p>
<input type="hidden" name="approval-${at}" value="${one.id}"><input type="hidden" name="digest-${at}" value="${one.digest}"><input type="hidden" name="shown-${at}" value="${shown}">
${alone === null ? '' : html`<p class="quiet">It can be approved on its own page only: ${alone}.</p>`}
<fieldset class="choose" aria-label="Your vote on call ${at + 1}">${alone === null ? choice('approve', 'Approve', true) : ''}${choice('deny', 'Deny', false)}${choice('leave', 'Leave', alone !== null)}</fieldset></li>`;
}

const notShown: Refused = {
  refused: 422,
  code: 'batch.not_shown',
  message: 'A call was not on your page as it is, or not open in full, so nothing was decided.',
  remedy: 'Go back, load the page again and decide then.',
};
const mixed: Refused = { ...notShown, code: 'batch.mixed', message: 'These calls are not alike any more, so nothing was decided.' };

export const batchActions = [
  action({
    path: '/batches/:id/decide',
    access: 'named',
    fields: z.object({ reason: z.string().max(2_000).default(''), denial: z.string().max(2_000).default('') }).catchall(z.string().max(4_000)),
    async run(ports, visitor, { values }) {
      const sent = values as Readonly<Record<string, string | undefined>>;
      const votes = Array.from({ length: mostInBatch }, (_, at) => {
        const [approval, digest, vote] = [sent[`approval-${at}`], sent[`digest-${at}`], sent[`vote-${at}`]];
        if (approval === undefined || digest === undefined || (vote !== 'approve' && vote !== 'deny')) return null;
        return {
          approval,
          digest,
          decision: vote as 'approve' | 'deny',
          reason: vote === 'approve' ? values.reason : values.denial,
          shown: sent[`shown-${at}`] ?? '',
        };
      }).filter((one) => one !== null);
      if (votes.length === 0)
        return { refused: 422, code: 'form.invalid', message: 'Nothing was chosen, so nothing was decided.', remedy: 'Go back and choose.' };
      if (!votes.every(({ approval, digest, shown }) => openShown(ports, visitor, approval, digest, shown) !== null)) return notShown;
      for (const { approval, digest, decision, shown } of votes)
        if (decision === 'approve' && !(await wasOpened(ports, visitor, approval, digest, shown))) return notShown;
      const answer = await decideBatch(
        ports,
        visitor.person,
        votes.map(({ shown: _, ...one }) => one),
      );
      if (answer === null) return mixed;
      const failed = answer.items.filter(({ decided }) => decided === null);
      if (failed.length === 0) return { to: '/console', say: 'batch-decided' };
      const why = failed.map(({ approval, message }) => `${approval}: ${message ?? ''}`).join(' ');
      const done = answer.items.length - failed.length;
      return {
        refused: 409,
        code: 'batch.partly',
        message: `${done} of ${answer.items.length} votes were cast. ${why}`,
        remedy: 'Look at the others one by one.',
      };
    },
  }),
];
