import { canonicalForm } from '../../../tools/index.ts';
import type { AgentDocument, TenantDocument, TrustRoot } from '../kinds.ts';
import type { NextConfiguration, NextTenant } from '../merge.ts';
import { type DocumentProblem, problemAt } from '../problems.ts';
import { personProblem } from './people.ts';

export function checkAgents(tenant: NextTenant, document: TenantDocument, trust: readonly TrustRoot[]): DocumentProblem[] {
  return tenant.documents.flatMap((one) => {
    if (one.body.kind !== 'Agent') return [];
    const problems = personProblem(one, 'owner', one.body.owner, document);
    const { identity } = one.body;
    if (typeof identity === 'string') {
      const domain = /^spiffe:\/\/([^/]+)\//.exec(identity)?.[1];
      const bound = trust.flatMap((root) => ('spiffe' in root ? [root.spiffe] : []));
      if (domain === undefined || !bound.includes(domain)) {
        problems.push(
          problemAt(
            one,
            ['identity'],
            "A trust domain that is not the tenant's",
            `Use a trust domain the operator bound to it: ${bound.join(', ') || 'none yet'}`,
          ),
        );
      }
    } else if ('issuer' in identity) {
      const bound = trust.flatMap((root) => ('oidc' in root && root.for === 'workloads' ? [root.oidc] : []));
      if (!bound.includes(identity.issuer)) {
        problems.push(
          problemAt(
            one,
            ['identity', 'issuer'],
            "An issuer that is not the tenant's for workloads",
            `Use an issuer the operator bound to it: ${bound.join(', ') || 'none yet'}`,
          ),
        );
      }
    } else if (keyOf(identity.jwk) === null) {
      problems.push(problemAt(one, ['identity', 'jwk'], 'Not an asymmetric public key', 'Give a JWK of kty OKP, EC or RSA (RFC 7517)'));
    }
    return problems;
  });
}

/** One workload identity, one agent, everywhere: a workload that is two agents would act with the sum of both. */
export function checkIdentities(next: NextConfiguration, told: readonly NextTenant[]): DocumentProblem[] {
  const holders = new Map<string, number>();
  const add = (key: string | null): void => {
    if (key !== null) holders.set(key, (holders.get(key) ?? 0) + 1);
  };
  for (const { byKind } of next.tenants) {
    for (const agent of byKind.agents.values()) add(identityKey(agent));
    for (const orchestrator of Object.values(byKind.tenant?.orchestrators ?? {})) add(keyOf(orchestrator.jwk));
  }
  const taken = (key: string | null): boolean => key !== null && (holders.get(key) ?? 0) > 1;
  const remedy = 'Give each agent and each orchestrator an identity of its own';
  return told.flatMap(({ documents, byKind }) =>
    documents.flatMap((one) => {
      if (one.body.kind === 'Agent') return taken(identityKey(one.body)) ? [problemAt(one, ['identity'], 'Another agent has this identity', remedy)] : [];
      if (one.body.kind !== 'Tenant') return [];
      return Object.entries(one.body.orchestrators).flatMap(([name, { jwk }]) => {
        // Both sign client assertions in their own name, which has to say who it is.
        if (byKind.agents.has(name)) return [problemAt(one, ['orchestrators', name], 'An agent has this name', 'Give the orchestrator another name')];
        const at = ['orchestrators', name, 'jwk'];
        if (keyOf(jwk) === null) return [problemAt(one, at, 'Not an asymmetric public key', 'Give a JWK of kty OKP, EC or RSA (RFC 7517)')];
        // A key the agent holds would let the agent attest its own objective.
        return taken(keyOf(jwk)) ? [problemAt(one, at, 'An agent or another orchestrator has this key', remedy)] : [];
      });
    }),
  );
}

function identityKey({ identity }: AgentDocument): string | null {
  if (typeof identity === 'string') return identity;
  return 'issuer' in identity ? `oidc:${canonicalForm([identity.issuer, identity.subject])}` : keyOf(identity.jwk);
}

const members: Readonly<Record<string, readonly string[]>> = { OKP: ['crv', 'kty', 'x'], EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'] };

/** The members that identify a public key (RFC 7638 §3.2); null when it is not a whole one. */
function keyOf(jwk: Readonly<Record<string, unknown>>): string | null {
  const kty = jwk['kty'];
  const required = typeof kty === 'string' && Object.hasOwn(members, kty) ? (members[kty] ?? []) : [];
  if (required.length === 0 || !required.every((name) => typeof jwk[name] === 'string')) return null;
  return `jwk:${canonicalForm(Object.fromEntries(required.map((name) => [name, jwk[name]])))}`;
}
