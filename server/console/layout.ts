import { html } from 'hono/html';
import { assetUrl } from './assets.ts';
import { form, type Html, mayUse, type Page, type Shown, type Visitor } from './page.ts';

const head = (title: string): Html => html`<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${title} · Taskgate</title>
<link rel="icon" href="${assetUrl('icon.svg')}"><link rel="stylesheet" href="${assetUrl('console.css')}">`;

const mark = html`<svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false"><path d="M4 21V10a8 8 0 0 1 16 0v11"/><path d="M9 21v-9m6 9v-9"/></svg>`;

/** A page around what is shown, for somebody who is logged in. */
export function framed(visitor: Visitor, pages: readonly Page[], here: string, { title, body, live }: Shown, notice: string | null): Html {
  const entries = pages.filter(({ nav, access }) => nav !== null && mayUse(access, visitor.standing));
  return html`<!doctype html><html lang="en"><head>${head(title)}<script type="module" src="${assetUrl('console.js')}"></script></head>
<body><a class="skip" href="#main">To the content</a>
<header class="top"><div class="wide"><a class="home" href="/console">${mark}<span>Taskgate</span></a>
<span class="tenant" title="Your tenant">${visitor.person.tenant}</span>
<nav aria-label="Console"><ul>${entries.map(
    ({ path, nav }) => html`<li><a href="/console${path === '/' ? '' : path}"${path === here ? html` aria-current="page"` : ''}>${nav}</a></li>`,
  )}</ul></nav>
<div class="me"><span>${visitor.person.name ?? visitor.person.id.slice(visitor.person.id.indexOf('#') + 1)}</span>${form(visitor, '/logout', html`<button class="link">Log out</button>`, 'inline')}</div></div></header>
<main id="main" tabindex="-1" class="wide"${live ? html` data-live="${live}"` : ''}>
<p id="notice" class="notice" role="status"${notice === null ? html` hidden` : ''}>${notice ?? ''}</p>
${body}</main></body></html>`;
}

/** A page for nobody in particular: the login, and what went wrong. */
export const bare = (title: string, body: Html): Html => html`<!doctype html><html lang="en"><head>${head(title)}</head>
<body class="bare"><main id="main"><p class="home">${mark}<span>Taskgate</span></p>${body}</main></body></html>`;

export const failure = (
  title: string,
  message: string,
  remedy: string,
): Html => html`<section class="card failure"><h1>${title}</h1><p>${message}</p><p class="quiet">${remedy}</p>
<p><a class="button" href="/console">To the queue</a></p></section>`;
