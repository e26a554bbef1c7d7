import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { sha256Hex } from '../../tools/index.ts';
import { isExempt, requestChange } from '../changes/index.ts';
import { hashConnectionToken } from '../identity/index.ts';
import { changeProblem, waiting, waitingChange } from './changes.ts';
import { reason } from './documents.ts';
import { type Endpoint, endpoint, seconds, whole } from './endpoint.ts';
import { notFound, problem } from './problem.ts';

const dayInSeconds = 86_400;
/** How long an `Idempotency-Key` is remembered. */
const keyLifetimeMs = dayInSeconds * 1000;

/** 256 bits; what is stored is its SHA-256, so that who reads the store cannot use it. */
const newToken = (): string => `tgc_${randomBytes(32).toString('base64url')}`;

export const agentTokenEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'post',
    path: '/agents/{name}/tokens',
    summary:
      'Make a connection token, shown this once; it opens nothing until another admin approves. An `Idempotency-Key` sent again answers 409: a token is never shown twice',
    access: ['admin'],
    body: z.strictObject({
      expires_in: z
        .int()
        .min(60)
        .max(365 * dayInSeconds)
        .describe('Seconds'),
      reason,
    }),
    answer: z.strictObject({
      id: z.string().describe('Names the token when revoking it; no secret'),
      token: z.string(),
      agent: z.string(),
      expires_at: z.int(),
      waiting: waitingChange,
    }),
    status: 201,
    async run(ports, { person, snapshot }, { param, body, idempotencyKey }) {
      const agent = param('name');
      if (!snapshot.agents.has(agent)) return notFound();
      const at = ports.clock();
      if (idempotencyKey !== null && !(await ports.store.useOnce(`v1/${person.tenant}/${person.id}`, sha256Hex(idempotencyKey), at + keyLifetimeMs, at))) {
        return problem(
          409,
          'idempotency.used',
          'A request with this key was made before.',
          'If its answer was lost, make a token with a new key and revoke what you do not need.',
        );
      }
      const token = newToken();
      const hash = hashConnectionToken(token);
      const expiresAt = at + body.expires_in * 1000;
      if (isExempt(snapshot)) {
        const about = { at, tenant: person.tenant, agent, actor: person.id, expires_at: expiresAt, detail: hash, personal: true };
        const row = { hash, tenant: person.tenant, agent, createdBy: person.id, expiresAt, revoked: false };
        await ports.store.putAgentToken(row, { type: 'agent.token_created', ...about });
        return { id: hash, token, agent, expires_at: seconds(expiresAt), waiting: null };
      }
      const asked = await requestChange(ports, snapshot, person.id, { kind: 'token', agent, hash, expires_at: expiresAt }, body.reason || null);
      if (!asked.ok) return changeProblem(asked);
      return { id: hash, token, agent, expires_at: seconds(expiresAt), waiting: await waiting(ports, snapshot, asked.change) };
    },
  }),
  endpoint({
    method: 'get',
    path: '/agents/{name}/tokens',
    summary: 'Connection tokens of the agent that can still be used; never the tokens themselves',
    access: ['admin', 'auditor'],
    answer: whole(
      z.strictObject({
        id: z.string().describe('Names the token when revoking it; no secret'),
        agent: z.string(),
        created_by: z.string(),
        expires_at: z.int(),
      }),
    ),
    async run(ports, { person, snapshot }, { param }) {
      if (!snapshot.agents.has(param('name'))) return notFound();
      const found = await ports.store.listAgentTokens(person.tenant, param('name'), ports.clock());
      const items = found.map(({ hash, agent, createdBy, expiresAt }) => ({ id: hash, agent, created_by: createdBy, expires_at: seconds(expiresAt) }));
      return { items, next: null };
    },
  }),
  endpoint({
    method: 'delete',
    path: '/agents/{name}/tokens/{id}',
    summary: 'Revoke a connection token; again it changes nothing',
    access: ['admin'],
    answer: z.strictObject({ id: z.string(), agent: z.string(), revoked: z.literal(true) }),
    async run(ports, { person }, { param }) {
      const [agent, id] = [param('name'), param('id')];
      const token = await ports.store.readAgentToken(id);
      if (!token || token.tenant !== person.tenant || token.agent !== agent) return notFound();
      await ports.store.revokeAgentToken(person.tenant, id, {
        type: 'agent.token_revoked',
        at: ports.clock(),
        tenant: person.tenant,
        agent,
        actor: person.id,
        detail: id,
      });
      return { id, agent, revoked: true as const };
    },
  }),
];
