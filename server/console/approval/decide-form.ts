import { html } from 'hono/html';
import { asksPasskey } from '../../../policies/index.ts';
import type { ApprovalDetail, ApprovalRefusal } from '../../approvals/index.ts';
import { form, type Html, type Visitor } from '../page.ts';
import { moment, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { requirementWords, rungWords, statusWords } from '../parts/words.ts';

interface Ballot {
  readonly approval: ApprovalDetail;
  /** What a vote of theirs would count toward, or why none would. */
  readonly mine: { readonly ok: true; readonly requirements: readonly string[]; readonly behalves: readonly string[] } | ApprovalRefusal;
  /** Sealed evidence of what the page shows. */
  readonly shown: string;
  /** Long arguments that are not open yet. */
  readonly closed: number;
  /** They have a passkey in effect. */
  readonly maySign: boolean;
  /** Less than was asked, or an answer for calls like it. */
  readonly lighter?: Html;
  readonly mayRevoke: boolean;
  readonly mayStop: boolean;
  /** Epoch seconds. */
  readonly now: number;
}

/** Beside the proposal: who agrees, until when, which digest, and what this person can do. */
export function decideAside(visitor: Visitor, ballot: Ballot): Html {
  const { approval, mine, mayStop, mayRevoke, now } = ballot;
  const waits = approval.status === 'pending';
  return html`<aside class="decide" aria-label="Decision">
<p class="status status-${approval.status}"><strong>${statusWords[approval.status]}</strong>${approval.rung === null ? '' : html` <span class="quiet">${rungWords[approval.rung]}</span>`}${waits ? html`<br>expires in ${until(approval.expires_at, now)}, which denies` : ''}</p>
<h2>Who must agree</h2><ul class="plain agree">${approval.requirements.map(
    ({ requirement, needed, given, waits_behind }) =>
      html`<li><strong>${given} of ${needed}</strong> <span class="quiet">${requirementWords(requirement)}</span>${waits_behind.length > 0 ? html` <span class="tag">later: first ${waits_behind.map(requirementWords).join(', ')}</span>` : ''}</li>`,
  )}</ul>
${
  approval.votes.length > 0
    ? html`<ul class="plain votes">${approval.votes.map(
        ({ name, decision, at, reason, on_behalf_of: lender }) =>
          html`<li><span class="vote-${decision}">${decision === 'approve' ? 'approved' : 'denied'}</span> by <strong>${name}</strong>${lender === null ? '' : html` in the place of <strong>${lender.name}</strong>`} ${moment(at, now)}${reason === null ? '' : html`<br><q>${visibly(reason)}</q>`}</li>`,
      )}</ul>`
    : ''
}
<details class="digest"><summary>Digest of what you decide: ${approval.digest.slice(0, 8)}…</summary><code>${approval.digest}</code></details>
${mine.ok ? voteForms(visitor, ballot, mine.requirements, mine.behalves) : whyNot(mine)}
${ballot.lighter ?? ''}${mayRevoke && (approval.status === 'approved' || waits) ? revokeForm(visitor, approval) : ''}
${mayStop ? stopForm(visitor, approval.session) : ''}</aside>`;
}

function whyNot({ code, message, remedy }: ApprovalRefusal): Html | '' {
  // What state it is in stands above.
  if (code === 'approval.not_pending') return '';
  if (code === 'approval.already_voted') return html`<p class="callout">You have decided; a vote is final.</p>`;
  return html`<p class="callout">${message} <span class="quiet">${remedy}</span></p>`;
}

function voteForms(visitor: Visitor, { approval, shown, closed, maySign }: Ballot, requirements: readonly string[], behalves: readonly string[]): Html {
  const bound = html`<input type="hidden" name="digest" value="${approval.digest}"><input type="hidden" name="shown" value="${shown}">`;
  const [first] = requirements;
  const place =
    behalves.length === 0
      ? ''
      : html`<label>You vote in the place of <select name="on_behalf_of">${behalves.map((name) => html`<option>${name}</option>`)}</select></label>`;
  const mustSign = requirements.every(asksPasskey);
  const sign = html` data-sign="/console/approvals/${approval.id}/challenge" data-into="assertion"`;
  const owed = approval.proposal?.effect === 'destructive';
  const which =
    requirements.length > 1
      ? html`<label>Your vote counts toward <select name="requirement">${requirements.map((one) => html`<option value="${one}">${requirementWords(one)}</option>`)}</select></label>`
      : html`<input type="hidden" name="requirement" value="${first}">`;
  return html`<h2>Your decision</h2>
${form(
  visitor,
  `/approvals/${approval.id}/decide`,
  html`${bound}${which}${place}<input type="hidden" name="assertion" value="">
<label for="reason">Reason <span class="quiet">${owed ? 'needed: this cannot be undone' : 'needed to deny'}; the agent reads it</span></label><textarea id="reason" name="reason" rows="2" maxlength="500"${owed ? html` data-owed` : ''}></textarea>
${closed > 0 ? html`<p class="callout" id="closed">Open the ${closed === 1 ? 'long argument' : `${closed} long arguments`} to be able to approve.</p>` : ''}
${mustSign ? html`<noscript><p class="callout">It asks for a passkey, which a browser uses only with JavaScript.</p></noscript>` : ''}
${mustSign && !maySign ? html`<p class="callout">It asks for a passkey in effect, and you have none. <a href="/console/passkeys">My passkeys</a></p>` : ''}
<div class="choices"><button class="approve" name="decision" value="approve" data-key="a"${mustSign || maySign ? sign : ''}${closed > 0 ? html` disabled aria-describedby="closed"` : ''}>${mustSign || maySign ? 'Approve with passkey' : 'Approve'}</button>
<button class="deny" name="decision" value="deny" data-key="d">Deny</button></div>
${maySign && !mustSign ? html`<p><button class="link" name="decision" value="approve"${closed > 0 ? html` disabled aria-describedby="closed"` : ''}>Approve without passkey</button></p>` : ''}
<p class="quiet keys" hidden><kbd>A</kbd> approve · <kbd>D</kbd> deny, pressed twice</p><p class="confirm" role="status" hidden></p>`,
  'vote',
)}`;
}

const revokeForm = (visitor: Visitor, { id }: ApprovalDetail): Html => html`<details class="other"><summary>Take it back</summary>
${form(visitor, `/approvals/${id}/revoke`, html`<p class="quiet">Before the call runs, nobody else has to agree to that.</p><label>Why it is taken back <input name="reason" maxlength="500"></label><button>Take it back</button>`)}</details>`;

const stopForm = (visitor: Visitor, session: string): Html => html`<details class="other"><summary>End the whole task</summary>
${form(visitor, `/sessions/${session}/end`, html`<p class="quiet">Everything the agent could do in it is gone with its next call.</p><label>Why the task ends <input name="reason" required minlength="3" maxlength="500"></label><button class="deny">End the task</button>`)}</details>`;
