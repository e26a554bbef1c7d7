import { html } from 'hono/html';
import { z } from 'zod';
import { type DelegationSummary, endDelegation, giveDelegation, listDelegations } from '../../approvals/index.ts';
import { seconds } from '../../documents/durations.ts';
import { action, form, type Html, page, type Visitor } from '../page.ts';
import { moment, spanOf, until } from '../parts/times.ts';
import { visibly } from '../parts/visible.ts';
import { refusedBy } from './refused-by.ts';

const hour = 3_600;

/** Places in groups that are lent: one's own, and for admins and auditors everybody's. */
export const delegationsPage = page({
  path: '/delegations',
  nav: 'Delegation',
  access: ['reviewer', 'admin', 'auditor'],
  query: z.object({ after: z.string().max(200).optional().catch(undefined) }),
  async show(ports, visitor, { values }) {
    const { items, next } = await listDelegations(ports, visitor.person, { after: values.after ?? null, limit: 50 });
    const now = Math.floor(ports.clock() / 1000);
    const list =
      items.length === 0
        ? html`<section class="empty"><p><strong>No place is lent.</strong></p><p class="quiet">Every reviewer votes for themselves.</p></section>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Delegations"><table><thead><tr><th scope="col">Group</th><th scope="col">Place of</th><th scope="col">Lent to</th><th scope="col">Reason</th><th scope="col">Until</th><th scope="col">End</th></tr></thead>
<tbody>${items.map((one) => row(visitor, one, now))}</tbody></table></div>`;
    return {
      title: 'Delegation',
      body: html`<div class="heading"><h1>Delegation</h1><p class="quiet">A place that is lent has one vote, whoever casts it</p></div>
${list}${next === null ? '' : html`<p><a class="button" href="/console/delegations?${new URLSearchParams({ after: next }).toString()}">Older</a></p>`}${giveForm(visitor)}`,
    };
  },
});

function row(visitor: Visitor, one: DelegationSummary, now: number): Html {
  const end = one.status === 'over' ? '' : form(visitor, `/delegations/${one.id}/end`, html`<button>End it</button>`, 'inline');
  return html`<tr><td>${one.group}</td><td>${one.lender.name}</td><td>${one.delegate.name}</td><td>${visibly(one.reason)}</td>
<td>${one.status === 'over' ? html`over, ${moment(one.ended_at ?? one.ends_at, now)}` : until(one.ends_at, now)}</td><td>${end}</td></tr>`;
}

function giveForm(visitor: Visitor): Html | '' {
  const { approvals, people } = visitor.snapshot.document;
  const offered = Object.entries(approvals?.delegable ?? {}).filter(([group]) => visitor.standing.roles.has('reviewer') && visitor.standing.groups.has(group));
  if (offered.length === 0) return html`<p class="quiet">You are a reviewer of no group whose places may be lent in this tenant.</p>`;
  const colleagues = Object.entries(people).filter(
    ([name, { roles, groups }]) => name !== visitor.standing.name && roles.includes('reviewer') && offered.some(([group]) => !groups.includes(group)),
  );
  if (colleagues.length === 0) return html`<p class="quiet">There is no reviewer outside your group to whom you could lend your place.</p>`;
  return html`<section class="part" aria-labelledby="lend"><h2 id="lend">Lend your place</h2>
<p class="quiet">To a reviewer who is not in the group. What keeps you from deciding keeps them from it too; they cannot lend it on, and you cannot vote where they have.</p>
${form(
  visitor,
  '/delegations',
  html`<label>Group <select name="group">${offered.map(([group, longest]) => html`<option value="${group}">${group}, at most ${spanOf(seconds(longest))}</option>`)}</select></label>
<label>To <select name="to">${colleagues.map(([name]) => html`<option>${name}</option>`)}</select></label>
<label>Hours <input name="hours" type="number" min="1" max="720" value="24" required></label>
<label>Reason <input name="reason" required minlength="3" maxlength="500"></label><button>Lend it</button>`,
)}</section>`;
}

export const delegationActions = [
  action({
    path: '/delegations',
    access: ['reviewer', 'admin', 'auditor'],
    fields: z.object({
      ...{ group: z.string().max(64), to: z.string().max(64), reason: z.string().max(2_000).default('') },
      hours: z.coerce.number().pipe(z.int().min(1).max(720)),
    }),
    async run(ports, visitor, { values: { group, to, hours, reason } }) {
      const answer = await giveDelegation(ports, visitor.person, { group, to, lifetime: hours * hour, reason });
      return answer.ok ? { to: '/console/delegations', say: 'place-lent' } : refusedBy(answer);
    },
  }),
  action({
    path: '/delegations/:id/end',
    access: ['reviewer', 'admin', 'auditor'],
    fields: z.object({}),
    async run(ports, visitor, { param }) {
      const answer = await endDelegation(ports, visitor.person, param('id'));
      return answer.ok ? { to: '/console/delegations', say: 'place-back' } : refusedBy(answer);
    },
  }),
];
