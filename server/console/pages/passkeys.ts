import { html } from 'hono/html';
import { z } from 'zod';
import {
  confirmPasskey,
  enrolPasskey,
  listPasskeys,
  offerEnrolment,
  type PasskeyRefusal,
  type PasskeyView,
  passkeyName,
  registration,
  removePasskey,
} from '../../approvals/passkeys/index.ts';
import { isFreshLogin } from '../../identity/index.ts';
import { action, form, type Html, page, type Refused, type Visitor } from '../page.ts';
import { moment } from '../parts/times.ts';
import { nameOf } from '../parts/words.ts';
import { readJsonField } from '../read-json-field.ts';

const statusWords = {
  waits_for_admin: 'Waits for another admin to confirm it',
  waits: 'Confirmed; signs from',
  in_effect: 'Signs votes',
  removed: 'Removed',
} as const;

/** Keys that sign one's votes; for admins also those of others, to vouch for or to take out of use. */
export const passkeysPage = page({
  path: '/passkeys',
  nav: 'My passkeys',
  access: 'named',
  async show(ports, visitor) {
    const { person, standing, snapshot } = visitor;
    const now = ports.clock();
    const all = standing.roles.has('admin') ? await listPasskeys(ports, person.tenant, null) : await listPasskeys(ports, person.tenant, person.id);
    const live = all.filter(({ status }) => status !== 'removed');
    const [mine, others] = [live.filter((one) => one.person === person.id), live.filter((one) => one.person !== person.id)];
    const item = (one: PasskeyView, whose: Html | string, acts: Html): Html => html`<li class="card" data-passkey="${one.id}"><h2>${one.name}</h2>
<p>${whose}${statusWords[one.status]}${one.status === 'waits' ? html` ${moment(one.effective_at ?? 0, now / 1000)}` : ''}. <span class="quiet">Enrolled ${moment(one.enrolled_at, now / 1000)}</span></p>${acts}</li>`;
    return {
      title: 'My passkeys',
      body: html`<div class="cards"><header class="lead"><h1>My passkeys</h1><p>Your own key signs your very vote. Some calls ask for that; on any other you may.</p></header>
${isFreshLogin(person, now) ? '' : html`<p class="callout">To change anything here, log in again: a login is good for that for five minutes. <a href="/console/login?tenant=${person.tenant}&amp;to=/console/passkeys">Log in again</a></p>`}
<ul class="plain cards">${mine.map((one) => item(one, '', removeForm(visitor, one.id)))}</ul>
${mine.length === 0 ? html`<p class="empty">You have none yet.</p>` : ''}
<section class="card"><h2>Add a passkey</h2>${form(
        visitor,
        '/passkeys',
        html`<input type="hidden" name="credential" value=""><label for="passkey-name">What you call it</label><input id="passkey-name" name="name" required maxlength="60" placeholder="Work laptop">
<p class="quiet">Another admin has to confirm it; a day later it signs.</p><noscript><p class="callout">A browser makes a passkey only with JavaScript.</p></noscript>
<button class="primary" data-sign="/console/passkeys/options" data-into="credential">Add a passkey</button><p class="confirm" role="status" hidden></p>`,
      )}</section>
${
  standing.roles.has('admin')
    ? html`<h2>Of others</h2>${others.length === 0 ? html`<p class="empty">Nobody else has one.</p>` : ''}<ul class="plain cards">${others.map((one) =>
        item(
          one,
          html`<strong>${nameOf(snapshot, one.person)}</strong>. `,
          html`${one.status === 'waits_for_admin' ? confirmForm(visitor, one) : ''}${removeForm(visitor, one.id)}`,
        ),
      )}</ul>`
    : ''
}</div>`,
    };
  },
});

const confirmForm = (visitor: Visitor, { id, person }: PasskeyView): Html =>
  form(
    visitor,
    `/passkeys/${id}/confirm`,
    html`<p class="quiet">Ask ${person} by another way whether they just enrolled it. What it signs counts as theirs.</p><button class="approve">It is theirs</button>`,
  );

const removeForm = (visitor: Visitor, id: string): Html => html`<details class="other"><summary>Remove</summary>
${form(visitor, `/passkeys/${id}/remove`, html`<p class="quiet">It signs nothing from then on, and cannot be put back.</p><button class="deny">Remove it</button>`)}</details>`;

const refusedBy = ({ code, message, remedy }: PasskeyRefusal): Refused => ({
  refused:
    code === 'passkey.not_found'
      ? 404
      : code === 'passkey.own' || code === 'passkey.too_recent' || code === 'role.missing' || code === 'login.not_fresh'
        ? 403
        : 409,
  ...{ code, message, remedy },
});
const none = z.object({});
const done = (say: 'passkey-added' | 'passkey-confirmed' | 'passkey-removed') => ({ to: '/console/passkeys', say });

export const passkeyActions = [
  action({
    path: '/passkeys/options',
    access: 'named',
    fields: none,
    async run(ports, visitor) {
      const answer = await offerEnrolment(ports, visitor);
      return answer.ok ? { json: { create: answer.options } } : refusedBy(answer);
    },
  }),
  action({
    path: '/passkeys',
    access: 'named',
    fields: z.object({ name: passkeyName, credential: readJsonField(registration) }),
    async run(ports, visitor, { values }) {
      const answer = await enrolPasskey(ports, visitor, values);
      return answer.ok ? done('passkey-added') : refusedBy(answer);
    },
  }),
  action({
    path: '/passkeys/:id/confirm',
    access: ['admin'],
    fields: none,
    async run(ports, visitor, { param }) {
      const answer = await confirmPasskey(ports, visitor, param('id'));
      return answer.ok ? done('passkey-confirmed') : refusedBy(answer);
    },
  }),
  action({
    path: '/passkeys/:id/remove',
    access: 'named',
    fields: none,
    async run(ports, visitor, { param }) {
      const answer = await removePasskey(ports, visitor, param('id'));
      return answer.ok ? done('passkey-removed') : refusedBy(answer);
    },
  }),
];
