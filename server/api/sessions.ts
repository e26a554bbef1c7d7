import { z } from 'zod';
import { maySeeSession, observedUntil, stopSession } from '../sessions/index.ts';
import { type SessionRow, scanPages } from '../store/index.ts';
import { type Endpoint, endpoint, paged, paging, seconds } from './endpoint.ts';
import { notFound, problem } from './problem.ts';

const sessionSummary = z.strictObject({
  id: z.string(),
  status: z.enum(['active', 'suspended', 'ended', 'revoked']),
  agent: z.string(),
  use_case: z.string(),
  workflow: z.string(),
  mode: z.enum(['delegated', 'autonomous']),
  sponsor: z.string().describe('`<issuer>#<subject>` of the sponsor or the accountable person'),
  requester: z.string(),
  parent: z.string().nullable(),
  opened_at: z.int(),
  expires_at: z.int(),
  ended_at: z.int().nullable(),
  end_reason: z.string().nullable(),
});

const sessionDetail = sessionSummary.extend({
  objective: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  attested_by: z.enum(['sponsor', 'orchestrator', 'agent']),
  sha256: z.string(),
  ceiling: z.string(),
  label: z.strictObject({ sensitivity: z.string(), categories: z.array(z.string()), integrity: z.string() }).describe('What its lineage has read so far'),
  calls: z.int().describe('Calls counted so far'),
  budget: z.strictObject({ calls: z.int(), amount: z.number().nullable() }),
  grants: z.array(z.strictObject({ tool: z.string(), digest: z.string(), max_calls: z.int().nullable() })),
  bound: z.boolean().describe('Its tokens are bound to a key'),
  observed_until: z
    .string()
    .nullable()
    .describe('Last day, UTC, on which policy of the tenant is recorded for its calls and not enforced; null when it is enforced'),
});

const summaryOf = (row: SessionRow): z.infer<typeof sessionSummary> => ({
  id: row.id,
  status: row.status,
  agent: row.agent,
  use_case: row.useCase,
  workflow: row.workflow,
  mode: row.mode,
  sponsor: row.sponsor,
  requester: row.requester,
  parent: row.parent,
  opened_at: seconds(row.openedAt),
  expires_at: seconds(row.expiresAt),
  ended_at: row.endedAt === null ? null : seconds(row.endedAt),
  end_reason: row.endReason,
});

export const sessionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/sessions',
    summary: 'Sessions of the tenant; without a role, only those you sponsor',
    access: 'anyone',
    query: z.strictObject({ ...paging, status: sessionSummary.shape.status.optional(), agent: z.string().max(64).optional() }),
    answer: paged(sessionSummary),
    run(ports, { person, standing }, { query }) {
      const filter = { ...(query.status ? { status: query.status } : {}), ...(query.agent ? { agent: query.agent } : {}) };
      return scanPages(
        (page) => ports.store.listSessions(person.tenant, filter, page),
        { after: query.cursor ?? null, limit: query.limit },
        (row) => (maySeeSession(standing, row) ? summaryOf(row) : null),
      );
    },
  }),
  endpoint({
    method: 'get',
    path: '/sessions/{id}',
    summary: 'One session: its task, grants, budget and label',
    access: 'anyone',
    answer: sessionDetail,
    async run(ports, { person, standing, snapshot }, { param }) {
      const view = await ports.store.readSession(person.tenant, param('id'));
      if (!view || !maySeeSession(standing, view.session)) return notFound();
      const { session, label, calls } = view;
      return {
        ...summaryOf(session),
        objective: session.objective,
        inputs: { ...session.inputs },
        attested_by: session.attestedBy,
        sha256: session.taskSha256,
        ceiling: session.ceiling,
        label: { ...label, categories: [...label.categories] },
        calls,
        budget: { calls: session.budget.calls, amount: session.budget.amount === null ? null : session.budget.amount / 10_000 },
        grants: session.grants.map((grant) => ({ tool: grant.tool, digest: grant.digest, max_calls: grant.maxCalls })),
        bound: session.cnf !== null,
        observed_until: observedUntil(snapshot, [session, ...view.ancestors], ports.clock()),
      };
    },
  }),
  stopEndpoint('end', 'End a session and every session below it; what it could do is gone with the next call', 'ended'),
  stopEndpoint('suspend', 'Suspend a session and every session below it, saying why', 'suspended'),
];

/** Sent again it changes nothing and answers 200. */
function stopEndpoint(verb: 'end' | 'suspend', summary: string, status: 'ended' | 'suspended'): Endpoint {
  const reason = z.string().trim().min(3).max(500);
  return endpoint({
    method: 'post',
    path: `/sessions/{id}/${verb}`,
    summary,
    access: 'anyone',
    body: verb === 'suspend' ? z.strictObject({ reason }) : z.strictObject({ reason: reason.optional() }),
    answer: sessionSummary,
    async run(ports, { person, standing }, { param, body }) {
      const how = { status, reason: body.reason ?? `${status} by a person` };
      const answer = await stopSession(ports, { tenant: person.tenant, standing }, param('id'), how);
      if ('session' in answer) return summaryOf(answer.session);
      return answer.why === 'not_found'
        ? notFound()
        : problem(403, 'role.missing', 'Only an admin, its sponsor or a reviewer it has asked may stop a session.', 'Ask an admin.');
    },
  });
}
