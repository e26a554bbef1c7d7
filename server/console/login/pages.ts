import { html } from 'hono/html';
import type { Html } from '../page.ts';
import type { PeopleRoot } from './issuer.ts';

const hostOf = (issuer: string): string => URL.parse(issuer)?.host ?? issuer;

const endedNote = html`<p class="notice" role="status">Your login has ended; nothing was decided. Log in and go on.</p>`;

/** Asks which tenant. */
export const askTenant = (to: string, ended: boolean): Html => html`${ended ? endedNote : ''}<section class="card"><h1>Log in</h1>
<form method="get" action="/console/login"><input type="hidden" name="to" value="${to}">
<label for="tenant">Tenant</label><input id="tenant" name="tenant" required maxlength="64" autocomplete="organization" autocapitalize="none" spellcheck="false" autofocus>
<button class="primary">Continue</button></form></section>`;

/** Where people of this tenant log in. */
export const chooseIssuer = (
  tenant: string,
  roots: readonly PeopleRoot[],
  to: string,
  local: boolean,
): Html => html`<section class="card"><h1>Log in to ${tenant}</h1>
${roots.map(({ oidc }) => {
  const query = new URLSearchParams({ tenant, issuer: oidc, to });
  return html`<p><a class="button primary" href="/console/login/start?${query.toString()}">Continue at ${hostOf(oidc)}</a></p>`;
})}
${roots.length === 0 && !local ? html`<p>Nobody can log in here for ${tenant}. Ask whoever runs this broker.</p>` : ''}
${
  local
    ? html`<p>On the machine this broker runs on, a command makes a link that logs you in once:</p>
<pre class="command">npx taskgate login --tenant ${tenant} --as NAME --web</pre>`
    : ''
}
<p class="quiet"><a href="/console/login">Another tenant</a></p></section>`;

/** A link is used by a press, so that whatever merely looks at it does not use it up. */
export const useLink = (secret: string, tenant: string, name: string): Html => html`<section class="card"><h1>Log in as ${name}</h1>
<p>You are about to act as <strong>${name}</strong> of <strong>${tenant}</strong>. If you did not ask for this link, close this page.</p>
<form method="post" action="/console/link/${secret}"><button class="primary">Log in as ${name}</button></form></section>`;
