import { html } from 'hono/html';
import { isRefusal } from '../../call/refusals.ts';
import type { Form } from '../../identity/index.ts';
import { type AuthorizationAsked, boundsOf, type Choice } from '../../oauth/index.ts';
import type { Ports } from '../../ports.ts';
import { observedUntil } from '../../sessions/index.ts';
import { form, type Html, type Shown, type Visitor } from '../page.ts';
import { moment, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { sensitivityWords } from '../parts/words.ts';
import { inputFields } from './inputs.ts';
import { grantsInWords } from './words.ts';

export interface Consent {
  readonly asked: AuthorizationAsked;
  /** As it stands in the address. */
  readonly sealed: string;
}

const title = 'A program asks to work for you';
const hostOf = (redirect: string): string => {
  const url = new URL(redirect);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.host : `a program that opens ${url.protocol}`;
};

/** Who asks: every word of it is the program's own, and the page says so. */
const whoAsks = ({
  client,
  redirect,
}: AuthorizationAsked): Html => html`<header class="lead"><p class="quiet">${title}</p><h1>${visibly(client.name)}</h1></header>
<p class="callout">${
  client.kind === 'registered'
    ? html`This is the name an admin of your tenant gave it. That it is really this program nobody checked.`
    : client.kind === 'document'
      ? html`This is the name it gives itself. It is unverified; what it says stands at <strong>${visibly(client.host ?? '')}</strong>, and an admin of your tenant trusts that address.`
      : html`This is the name it gives itself. It is unverified: it registered itself, and <strong>nobody knows who it is</strong>.`
}</p>
<dl class="facts"><dt>Answers go to</dt><dd><code>${visibly(hostOf(redirect))}</code>${/^http:/.test(redirect) ? html` <span class="quiet">a program on this machine</span>` : ''}</dd></dl>
<p>If you did not just start this yourself, refuse it.</p>`;

const refuseButton = html`<button class="deny" name="decision" value="deny" formnovalidate>Refuse</button>`;

/** Which task, when there are several it could be. */
export function choosePage(visitor: Visitor, { asked, sealed }: Consent, choices: readonly Choice[]): Shown {
  return {
    title,
    body: html`<div class="cards">${whoAsks(asked)}<section class="part" aria-labelledby="which"><h2 id="which">For which task?</h2><ul class="plain">${choices.map(
      ({ agent, useCase }) => {
        const query = new URLSearchParams({ agent: agent.name, use_case: useCase.name });
        return html`<li><a class="button" href="/console/consent/${sealed}?${query.toString()}">${useCase.purpose}</a> <span class="quiet">${useCase.name}, as the agent ${agent.name}</span></li>`;
      },
    )}</ul></section>${form(visitor, `/consent/${sealed}`, refuseButton)}</div>`,
  };
}

export function nothingPage(visitor: Visitor, { asked, sealed }: Consent): Shown {
  return {
    title,
    body: html`<div class="cards">${whoAsks(asked)}<p>There is no task that you may give it: it acts for an agent none of whose use cases you may sponsor.</p>${form(visitor, `/consent/${sealed}`, refuseButton)}</div>`,
  };
}

/** The whole of it, before anything is pressed. `given` is what was written before, `problem` what was wrong with it. */
export function consentPage(ports: Ports, visitor: Visitor, { asked, sealed }: Consent, choice: Choice, given: Form, problem: string | null): Shown {
  const { agent, useCase } = choice;
  const { snapshot } = visitor;
  const bounds = boundsOf(ports, choice);
  const now = Math.floor(ports.clock() / 1000);
  const observed = observedUntil(snapshot, [{ useCase: useCase.name }], ports.clock());
  const limits = isRefusal(bounds)
    ? html`<p>${bounds.message}</p>`
    : html`<dl class="facts"><dt>Ends</dt><dd>${moment(bounds.expiresAt / 1000, now)}, in ${until(bounds.expiresAt / 1000, now)}</dd>
<dt>Calls</dt><dd>at most ${bounds.budget.calls}</dd>${bounds.budget.amount === null ? '' : html`<dt>Amounts</dt><dd>at most ${bounds.budget.amount / 10_000} in all</dd>`}
<dt>May read</dt><dd>${sensitivityWords[bounds.ceiling]} at most</dd></dl>`;
  const fields = html`<input type="hidden" name="agent" value="${agent.name}"><input type="hidden" name="use_case" value="${useCase.name}"><input type="hidden" name="revision" value="${snapshot.revision}">
<label>What it is for <textarea name="objective" rows="3" maxlength="2000" required>${given['objective'] ?? useCase.purpose}</textarea></label>
${inputFields(useCase.inputs, given)}<p class="quiet">What you write here is on the record as your word.</p>
<div class="choices"><button class="approve" name="decision" value="approve">Let it work for me</button>${refuseButton}</div>`;
  return {
    title,
    sendsTo: asked.redirect,
    body: html`<div class="decision-page"><article>${whoAsks(asked)}
<section class="part" aria-labelledby="may"><h2 id="may">What it may do</h2>${observed === null ? '' : html`<p class="callout">Policy of the tenant is only recorded for this task, not enforced, until ${observed}.</p>`}<p>Work as the agent <strong>${agent.name}</strong>: ${agent.purpose}. Policy is asked again before every call, and what needs people waits for them.</p>${grantsInWords(snapshot, choice)}</section>
<section class="part" aria-labelledby="until"><h2 id="until">Until when, and how much</h2>${limits}</section></article>
<aside class="decide" aria-label="Your decision"><p>You are <strong>${visitor.person.name ?? visitor.person.id}</strong> of <strong>${snapshot.tenant}</strong>, and answer for what it does.</p><h2>${useCase.purpose}</h2>
${problem === null ? '' : html`<p class="callout" role="alert">${problem}</p>`}${form(visitor, `/consent/${sealed}`, fields, 'consent')}</aside></div>`,
  };
}
