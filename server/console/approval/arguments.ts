import { html } from 'hono/html';
import type { Origin } from '../../../policies/index.ts';
import type { Proposal } from '../../approvals/index.ts';
import type { Html } from '../page.ts';
import { hasOdd, piecesOf, visibly } from '../parts/visible.ts';
import { originWords } from '../parts/words.ts';
import { differenceOf } from './difference.ts';

/** One argument as it will be sent, as text: strings as they are, everything else as JSON. */
export interface Argument {
  readonly name: string;
  readonly text: string;
  readonly type: string;
  /** Cut on the page until it is opened; it must have been opened before the call can be approved. */
  readonly long: boolean;
  /** `null`: no earlier call to compare; `undefined`: the earlier call had no such argument. */
  readonly before: string | null | undefined;
  readonly target: string | null;
  /** Where the value came from, where it decides on whom or what the call lands; null: nobody traced it. */
  readonly origin: Origin | null;
}

const longestShort = 400;
const mostLines = 10;
const excerptLength = 160;

export function argumentsOf(
  proposal: Proposal,
  earlier: Proposal | null,
  targets: Readonly<Record<string, string>>,
  origins: Readonly<Record<string, Origin>> = {},
): Argument[] {
  return Object.entries(proposal.arguments).map(([name, value]) => {
    const text = textOf(value);
    const had = earlier !== null && Object.hasOwn(earlier.arguments, name);
    return {
      ...{ name, text, type: typeOf(value) },
      long: text.length > longestShort || text.split('\n', mostLines + 1).length > mostLines,
      before: earlier === null ? null : had ? textOf(earlier.arguments[name]) : undefined,
      target: Object.hasOwn(targets, name) ? (targets[name] ?? null) : null,
      origin: Object.hasOwn(origins, name) ? (origins[name] ?? null) : null,
    };
  });
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? 'null'));
const typeOf = (value: unknown): string => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value);

/** Which long ones have to be opened, by their place. */
export const longOnes = (all: readonly Argument[]): number[] => all.flatMap(({ long }, at) => (long ? [at] : []));

export function argumentsSection(all: readonly Argument[], gone: readonly string[], opened: ReadonlySet<number>, compared: Html): Html {
  const openUrl = (at: number): string => `?open=${[...opened, at].sort((a, b) => a - b).join('.')}#argument-${at}`;
  return html`<section class="part" aria-labelledby="arguments"><h2 id="arguments">Exactly what will be sent</h2>
${all.length === 0 ? html`<p>No arguments.</p>` : html`<dl class="arguments">${all.map((one, at) => row(one, at, opened.has(at), openUrl(at)))}</dl>`}
${gone.length > 0 ? html`<p>Left out this time: ${gone.map((name) => html`<code>${visibly(name)}</code> `)}</p>` : ''}
<p class="quiet">${compared}</p></section>`;
}

function row(one: Argument, at: number, open: boolean, openUrl: string): Html {
  const { name, text, type, long, target } = one;
  const cut = long && !open;
  return html`<div id="argument-${at}" class="argument"><dt><code>${visibly(name)}</code><span class="quiet">${target ?? type}</span>${changeOf(one)}</dt>
<dd>${
    cut
      ? html`<pre class="value cut">${visibly(text.slice(0, excerptLength))}…</pre>
<p><a class="button small" href="${openUrl}" data-open>Open all ${text.length.toLocaleString('en')} characters</a> <span class="quiet">has to be opened before you can approve</span></p>`
      : shownValue(one)
  }
${oddNote(text)}${originNote(one)}</dd></div>`;
}

function shownValue({ text, before }: Argument): Html {
  if (before === null || before === undefined || before === text) return html`<pre class="value" dir="ltr" tabindex="0">${visibly(text)}</pre>`;
  const { head, was, is, tail } = differenceOf(before, text);
  return html`<pre class="value" dir="ltr" tabindex="0">${visibly(head)}${is === '' ? '' : html`<ins>${visibly(is)}</ins>`}${visibly(tail)}</pre>
<p class="before quiet">last time <span class="value">${visibly(shortened(head))}<del>${visibly(was.length > 200 ? `${was.slice(0, 200)}…` : was)}</del>${visibly(tail.slice(0, 40))}</span></p>`;
}

const shortened = (head: string): string => (head.length > 40 ? `…${head.slice(-40)}` : head);

function changeOf({ before, text }: Argument): Html | '' {
  if (before === null) return '';
  if (before === undefined) return html`<span class="tag warn">new</span>`;
  return before === text ? html`<span class="tag">same as last time</span>` : html`<span class="tag warn">changed</span>`;
}

/** Only where it lands depends on the value: there it matters who chose it. */
const originNote = ({ target, origin }: Argument): Html | '' =>
  target === null ? '' : html`<p class="origin quiet">Where this value came from: <strong>${origin === null ? 'not traced' : originWords[origin]}</strong></p>`;

function oddNote(text: string): Html | '' {
  if (!hasOdd(text))
    return /\p{Script=Hebrew}|\p{Script=Arabic}/u.test(text) ? html`<p class="quiet">Holds right-to-left text, shown in the order it is sent.</p>` : '';
  const kinds = [...new Set(piecesOf(text).flatMap((piece) => ('code' in piece ? [piece.name] : [])))];
  return html`<p class="tag-line"><span class="tag danger">hidden or misleading characters</span> ${kinds.slice(0, 6).join('; ')}</p>`;
}
