import { html } from 'hono/html';
import type { Proposal } from '../../approvals/index.ts';
import { form, type Html, type Visitor } from '../page.ts';
import { visibly } from '../parts/visible.ts';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null'));

const longestField = 10_000;

/** A field for each argument, by its place: what is lowered or cut becomes a new proposal that is voted on anew. */
export function narrowForm(visitor: Visitor, approval: string, digest: string, proposal: Proposal): Html {
  // What a form cannot carry stays as it is.
  const fields = Object.entries(proposal.arguments).map(([name, value], at) =>
    textOf(value).length > longestField
      ? ''
      : html`<label for="argument-${at}-narrowed">${visibly(name)}</label><textarea id="argument-${at}-narrowed" name="argument-${at}" rows="${rowsOf(textOf(value))}" spellcheck="false">
${textOf(value)}</textarea>`,
  );
  const body = html`<p class="quiet">Lower an amount, take targets off a list, cut a text. It becomes a call of its own: it is judged again, everybody votes anew, and the agent is told.</p>
<input type="hidden" name="digest" value="${digest}">${fields}
<label>Why it is narrowed <input name="reason" required minlength="3" maxlength="500"></label><button>Show me the narrowed call</button>`;
  return html`<details class="other"><summary>Approve less than was asked</summary>${form(visitor, `/approvals/${approval}/narrow`, body)}</details>`;
}

const rowsOf = (text: string): number => Math.min(8, text.split('\n', 8).length);

/** What the form sends, as arguments; null when a value that is no text is no JSON any more. */
export function narrowedArguments(proposal: Proposal, sent: Readonly<Record<string, unknown>>): Record<string, unknown> | null {
  const entries: [string, unknown][] = [];
  for (const [at, [name, value]] of Object.entries(proposal.arguments).entries()) {
    const given = sent[`argument-${at}`];
    // A form sends every line's end as CRLF (HTML, §4.10.21), whatever it was.
    const text = typeof given === 'string' ? given.replaceAll('\r\n', '\n') : null;
    if (text === null || text === textOf(value).replaceAll('\r\n', '\n')) entries.push([name, value]);
    else if (typeof value === 'string') entries.push([name, text]);
    else {
      try {
        entries.push([name, JSON.parse(text) as unknown]);
      } catch {
        return null;
      }
    }
  }
  return Object.fromEntries(entries);
}

export function rememberForm(visitor: Visitor, approval: string, digest: string): Html {
  const body = html`<p class="quiet">Equal calls of this task need no answer again, until it ends or reads something external. It counts once as many people as the call needed remember the same.</p>
<input type="hidden" name="digest" value="${digest}">
<label for="constraints">Calls like it <span class="quiet">constraints by argument, as in grants; empty: exactly this call</span></label><textarea id="constraints" name="constraints" rows="3" spellcheck="false"></textarea><button>Remember my answer</button>`;
  return html`<details class="other"><summary>Remember this answer</summary>${form(visitor, `/approvals/${approval}/remember`, body)}</details>`;
}

/** Above everything else: what is shown is not what the agent asked, or not what is decided any more. */
export function editedNote(edited: Proposal['edited'], decided: Proposal['arguments'], supersededBy: string | null): Html | '' {
  if (supersededBy !== null)
    return html`<p class="callout">A reviewer narrowed this call. <a href="/console/approvals/${supersededBy}">What is decided now</a> took its place.</p>`;
  if (!edited) return '';
  const changed = Object.entries(edited.asked).filter(([name, was]) => textOf(was) !== textOf(decided[name]));
  return html`<section class="callout"><strong>Narrowed by ${visibly(edited.by)}.</strong> The agent asked for
<dl class="asked">${changed.map(([name, was]) => html`<dt><code>${visibly(name)}</code></dt><dd><pre class="value" dir="ltr">${visibly(textOf(was).slice(0, 400))}</pre></dd>`)}</dl></section>`;
}
