import { approvalSummary, summaryOf } from '../approvals/index.ts';
import { isRefusal } from '../call/refusals.ts';
import { extensionAsked, requestExtension } from '../extensions/index.ts';
import { maySeeSession } from '../sessions/index.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { notFound, problem } from './problem.ts';

export const extensionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'post',
    path: '/sessions/{id}/extensions',
    summary: 'Ask for more of what the use case allows a running session; whoever asks cannot approve it. Asked again it answers the same approval',
    access: 'anyone',
    body: extensionAsked,
    answer: approvalSummary,
    status: 201,
    async run(ports, { person, standing }, { param, body }) {
      const view = await ports.store.readSession(person.tenant, param('id'));
      if (!view || !maySeeSession(standing, view.session)) return notFound();
      if (!standing.roles.has('admin') && view.session.sponsor !== person.id)
        return problem(403, 'role.missing', 'Only an admin or its sponsor may ask for more on behalf of a session.', 'Ask one of them.');
      const row = await requestExtension(ports, { tenant: person.tenant, session: view.session.id, asker: person.id }, body);
      if (!isRefusal(row)) return summaryOf(row, ports.clock());
      const status = row.refused === 'stale' ? 409 : 422;
      return problem(status, row.refused, row.message, status === 409 ? 'Try again.' : 'Ask for what the use case allows; more is a change of the use case.');
    },
  }),
];
