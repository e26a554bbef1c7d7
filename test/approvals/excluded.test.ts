import fc from 'fast-check';
import { expect, test } from 'vitest';
import { excludedFrom } from '../../server/approvals/index.ts';
import { tenantDocument } from '../../server/documents/index.ts';
import type { SessionRow } from '../../server/store/store.ts';
import { acmePeople } from './fixture.ts';

const useCases = new Map([['night', { document: { owner: 'rita' } }]]);
const snapshotOf = (people: object) =>
  ({ document: tenantDocument.parse({ kind: 'Tenant', name: 'acme', people }), useCases }) as unknown as Parameters<typeof excludedFrom>[0];
const session = (over: Partial<SessionRow> = {}): SessionRow =>
  ({ mode: 'delegated', useCase: 'night', sponsor: 'local#ana', requester: 'spiffe://acme.example/agent/x', ...over }) as SessionRow;

test.each([
  ['the sponsor and their other account', {}, ['https://login.acme.example#ana', 'local#ana']],
  ['a person who opened it', { requester: 'local#bob' }, ['https://login.acme.example#ana', 'local#ana', 'local#bob']],
  ['an orchestrator is no person', { requester: 'orchestrator:night-runner' }, ['https://login.acme.example#ana', 'local#ana']],
  ['autonomous: who answers for it and who owns the use case', { mode: 'autonomous', sponsor: 'local#dana' }, ['local#dana', 'local#rita']],
  ['autonomous, of a use case that is gone: who answers for it', { mode: 'autonomous', sponsor: 'local#dana', useCase: 'gone' }, ['local#dana']],
] as const)('excluded: %s', (_, over, expected) => {
  expect(excludedFrom(snapshotOf(acmePeople), session(over))).toEqual(expected);
});

test('the people of the sessions it draws on are in the chain, too', () => {
  const parent = session({ sponsor: 'local#carl', requester: 'local#fred' });
  expect(excludedFrom(snapshotOf(acmePeople), session(), [parent])).toEqual(['https://login.acme.example#ana', 'local#ana', 'local#carl', 'local#fred']);
});

test('a name that every object has excludes nobody and breaks nothing', () => {
  const odd = { ...snapshotOf(acmePeople), useCases: new Map([['night', { document: { owner: 'constructor' } }]]) } as unknown as Parameters<
    typeof excludedFrom
  >[0];
  expect(excludedFrom(odd, session({ mode: 'autonomous', sponsor: 'local#dana' }))).toEqual(['local#dana']);
});

test('whatever accounts there are, the sponsor is excluded under all of them, and more people never exclude fewer', () => {
  const subject = fc.record({ issuer: fc.constantFrom('local', 'https://a.example', 'https://b.example'), name: fc.constantFrom('ana', 'bob', 'carl') });
  fc.assert(
    fc.property(fc.array(subject, { maxLength: 9 }), fc.constantFrom('ana', 'bob'), (accounts, sponsor) => {
      const people = Object.fromEntries(accounts.map(({ issuer, name }, i) => [`p${i}`, { subject: `${issuer}#${name}` }]));
      const excluded = excludedFrom(snapshotOf(people), session({ sponsor: `local#${sponsor}` }));
      const theirs = accounts.filter(({ name }) => name === sponsor).map(({ issuer, name }) => `${issuer}#${name}`);
      return [`local#${sponsor}`, ...theirs].every((id) => excluded.includes(id)) && excluded.every((id) => id.endsWith(`#${sponsor}`));
    }),
  );
});
