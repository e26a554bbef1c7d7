import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { BadJson, parseJsonStrict, slug } from '../../../tools/index.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Ports } from '../../ports.ts';
import { agentIdentity } from '../agents.ts';
import { hashConsoleSecret, newConsoleSecret } from '../console-secrets.ts';
import { headerProblem, isOnlyFor, issuedAt, proveClaims, readJwt, timeProblem } from '../jwt.ts';
import { readCapped } from '../read-capped.ts';
import { tenantIssuer } from '../urls.ts';
import { localProviderRuns } from './allowed.ts';
import { type LocalKey, publicHalf, readLocalKey, readTrustDomainKey, signWith } from './local-keys.ts';

type LocalPorts = Pick<Ports, 'config' | 'tenants' | 'store' | 'clock' | 'newId' | 'access'>;

const maxBody = 32_768;
const longestAssertion = 60;
const svidSeconds = 300;

const svidBody = z.strictObject({ assertion: z.string() });
const linkSeconds = 300;
const linkBody = z.strictObject({ assertion: z.string(), as: slug });
const idTokenBody = z.strictObject({
  assertion: z.string(),
  as: slug,
  agent: slug.optional(),
  authorization_details: z.array(z.record(z.string(), z.unknown())).min(1).max(1).optional(),
});

/**
 * The doors of the `local` identity provider: five-minute SVIDs for whoever proves a workload key, five-minute ID tokens
 * for whoever proves the machine's people key. Empty unless this broker may run it.
 */
export function localRoutes(ports: LocalPorts): Hono {
  const app = new Hono();
  if (!localProviderRuns(ports.config)) return app;
  app.post('/t/:tenant/local/svid', async (c) => {
    const body = await readBody(c, svidBody);
    const snapshot = body && (await tenantOf(ports, c.req.param('tenant')));
    return answer(ports, c, snapshot ? await issueSvid(ports, snapshot, body) : null);
  });
  app.post('/t/:tenant/local/id-token', async (c) => {
    const body = await readBody(c, idTokenBody);
    const snapshot = body && (await tenantOf(ports, c.req.param('tenant')));
    return answer(ports, c, snapshot ? await issueIdToken(ports, snapshot, body) : null);
  });
  app.post('/t/:tenant/local/console-link', async (c) => {
    const body = await readBody(c, linkBody);
    const snapshot = body && (await tenantOf(ports, c.req.param('tenant')));
    return answer(ports, c, snapshot ? await makeConsoleLink(ports, snapshot, body) : null);
  });
  return app;
}

/** One answer for everything that is not proven, known and bound to `local`. */
async function answer(ports: LocalPorts, c: Context, issued: Readonly<Record<string, string | number>> | null): Promise<Response> {
  if (!issued) await ports.access.stranger('local', 'access_denied', null);
  const noStore = { 'cache-control': 'no-store' };
  return issued
    ? c.json(issued, 200, noStore)
    : c.json({ error: 'access_denied', error_description: 'The local provider issues nothing for this.' }, 403, noStore);
}

async function tenantOf(ports: LocalPorts, tenant: string): Promise<TenantSnapshot | null> {
  return slug.safeParse(tenant).success ? ports.tenants.current(tenant) : null;
}

async function issueSvid(
  ports: LocalPorts,
  snapshot: TenantSnapshot,
  { assertion }: z.infer<typeof svidBody>,
): Promise<Record<string, string | number> | null> {
  const name = slug.safeParse(readJwt(assertion)?.claims['sub']);
  const agent = name.success ? snapshot.agents.get(name.data) : undefined;
  const key = agent && (await readLocalKey(ports.config, snapshot.tenant, `agents/${agent.name}`));
  const identity = agent?.identity;
  const bound = snapshot.trust.some((root) => 'spiffe' in root && root.bundle === 'local' && String(identity).startsWith(`spiffe://${root.spiffe}/`));
  if (!key || typeof identity !== 'string' || !bound || !(await isProven(ports, snapshot.tenant, assertion, key, agent.name))) return null;
  const signer = await readTrustDomainKey(ports.config, snapshot.tenant);
  if (!signer) return null;
  const now = Math.floor(ports.clock() / 1000);
  const claims = { sub: identity, aud: [tenantIssuer(ports.config, snapshot.tenant)], iat: now, exp: now + svidSeconds };
  return { svid: await signWith(signer, 'JWT', claims), expires_in: svidSeconds };
}

async function issueIdToken(ports: LocalPorts, snapshot: TenantSnapshot, body: z.infer<typeof idTokenBody>): Promise<Record<string, string | number> | null> {
  const subject = localSubject(snapshot, body.as);
  const root = snapshot.trust.find((one) => 'oidc' in one && one.oidc === 'local' && one.for === 'people');
  const agent = body.agent === undefined ? null : snapshot.agents.get(body.agent);
  const key = await readLocalKey(ports.config, snapshot.tenant, 'people');
  if (subject === null || !root || !('oidc' in root) || agent === undefined || !key) return null;
  if (!(await isProven(ports, snapshot.tenant, body.assertion, key, body.as))) return null;
  const signer = await readLocalKey(ports.config, snapshot.tenant, 'issuer');
  if (!signer) return null;
  const now = Math.floor(ports.clock() / 1000);
  const idToken = await signWith(signer, 'JWT', {
    iss: 'local',
    sub: subject.slice('local#'.length),
    aud: root.audience ?? 'taskgate',
    iat: now,
    exp: now + svidSeconds,
    // The machine's people key was proven just now, which is all there is to prove here.
    auth_time: now,
    jti: ports.newId('jti'),
    ...(agent ? { may_act: { sub: agentIdentity(agent) } } : {}),
    ...(body.authorization_details ? { authorization_details: body.authorization_details } : {}),
  });
  return { id_token: idToken, expires_in: svidSeconds };
}

/** A link that logs this person in at the console: once, within five minutes. */
async function makeConsoleLink(
  ports: LocalPorts,
  snapshot: TenantSnapshot,
  { assertion, as }: z.infer<typeof linkBody>,
): Promise<Record<string, string | number> | null> {
  const subject = localSubject(snapshot, as);
  const key = await readLocalKey(ports.config, snapshot.tenant, 'people');
  if (subject === null || !key || !(await isProven(ports, snapshot.tenant, assertion, key, as))) return null;
  const secret = newConsoleSecret(snapshot.tenant);
  const hashed = hashConsoleSecret(secret);
  if (!hashed) return null;
  const madeAt = ports.clock();
  await ports.store.putConsoleLink({ ...hashed, person: subject, madeAt, expiresAt: madeAt + linkSeconds * 1000 });
  return { url: `${ports.config.public_url}/console/link/${secret}`, expires_in: linkSeconds };
}

/** `local#<subject>` of a person the tenant names and lets log in by this provider. */
function localSubject(snapshot: TenantSnapshot, as: string): string | null {
  const { people } = snapshot.document;
  const subject = Object.hasOwn(people, as) ? people[as]?.subject : undefined;
  const bound = snapshot.trust.some((one) => 'oidc' in one && one.oidc === 'local' && one.for === 'people');
  return bound && subject?.startsWith('local#') ? subject : null;
}

/** The assertion is signed by exactly this key, for this subject and this provider, at most a minute long, and new. */
async function isProven(ports: LocalPorts, tenant: string, assertion: string, key: LocalKey, subject: string): Promise<boolean> {
  const jwt = readJwt(assertion);
  const algorithms = ['ES256'];
  if (!jwt || headerProblem(jwt, { algorithms, types: [undefined, 'jwt'] })) return false;
  const claims = await proveClaims(jwt, [publicHalf(key)], algorithms);
  if (!claims || claims['sub'] !== subject || !isOnlyFor(claims, `${tenantIssuer(ports.config, tenant)}/local`)) return false;
  const now = ports.clock();
  const { jti, exp } = claims;
  // A second of grace on the length alone: clocks are read in whole seconds on one side.
  if (timeProblem(claims, { now, longest: longestAssertion + 1 }) || typeof jti !== 'string' || jti === '') return false;
  return ports.store.useOnce(`local/${tenant}`, jti, Number(exp) * 1000, now, issuedAt(claims, longestAssertion));
}

async function readBody<T>(c: Context, shape: z.ZodType<T>): Promise<T | null> {
  try {
    const bytes = await readCapped(c.req.raw, maxBody);
    const parsed = bytes && shape.safeParse(parseJsonStrict(bytes, { bytes: maxBody, depth: 16 }));
    return parsed?.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof BadJson) return null;
    throw error;
  }
}
