import { describe, expect, it } from 'vitest';
import type { TrustRoot, UseCaseDocument } from '../../server/documents/kinds.ts';
import { sponsorStanding } from '../../server/sessions/index.ts';

const issuer = 'https://login.acme.example';
const eve = `${issuer}#eve`;
const root = (more: Partial<Extract<TrustRoot, { oidc: string }>> = {}): TrustRoot => ({
  oidc: issuer,
  audience: 'taskgate',
  for: 'people',
  groups_claim: 'groups',
  ...more,
});
const delegated = { sponsors: { groups: ['finance'] } } as UseCaseDocument;
const autonomous = { accountable: 'eve' } as UseCaseDocument;

function standing(useCase: UseCaseDocument, people: Record<string, { subject: string; groups: string[] }>, trust: TrustRoot[], claimed: string[]) {
  const document = { people: Object.fromEntries(Object.entries(people).map(([name, person]) => [name, { roles: [], ...person }])) };
  return sponsorStanding({ document, trust } as unknown as Parameters<typeof sponsorStanding>[0], useCase, eve, claimed);
}

describe('who still answers for a task', () => {
  it.each([
    ['the document names them in the group', delegated, { eve: { subject: eve, groups: ['finance'] } }, [root()], [], true],
    ['the document has dropped them from the group', delegated, { eve: { subject: eve, groups: [] } }, [root()], [], false],
    ['their issuer stated the group at login', delegated, {}, [root()], ['finance'], true],
    [
      'their issuer stated it, and the tenant no longer goes by its claims',
      delegated,
      {},
      [{ oidc: issuer, audience: 'taskgate', for: 'people' } as TrustRoot],
      ['finance'],
      false,
    ],
    ['their issuer stated it, and the issuer is no longer trusted', delegated, {}, [root({ oidc: 'https://other.example' })], ['finance'], false],
    ['their issuer stated it, trusted for workloads only', delegated, {}, [root({ for: 'workloads' })], ['finance'], false],
    [
      'two names claim their subject',
      delegated,
      { eve: { subject: eve, groups: ['finance'] }, eva: { subject: eve, groups: ['finance'] } },
      [root()],
      ['finance'],
      false,
    ],
    ['the use case names them accountable', autonomous, { eve: { subject: eve, groups: [] } }, [root()], [], true],
    ['the use case names somebody else', { accountable: 'dana' } as UseCaseDocument, { eve: { subject: eve, groups: [] } }, [root()], [], false],
    ['a claimed group makes nobody accountable', autonomous, {}, [root()], ['eve'], false],
  ] as const)('%s', (_what, useCase, people, trust, claimed, stands) => {
    expect(standing(useCase, people as never, [...trust], [...claimed]).stands).toBe(stands);
  });
});
