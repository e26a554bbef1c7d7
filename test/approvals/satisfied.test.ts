import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { satisfiedLiterals } from '../../server/approvals/index.ts';
import type { Vote } from '../../server/store/store.ts';

const vote = (person: string, requirement: string, decision: Vote['decision'] = 'approve', name = person): Vote => ({
  ...{ person: `local#${person}`, name, requirement, decision, reason: null, at: 1, passkey: null, behalf: null },
});
const terms = { effect: 'write', stages: [], vetoes: {}, escalateTo: [] } as const;
const signed = (person: string, requirement: string): Vote => ({ ...vote(person, requirement), passkey: `pky_${person}` });
const literals = (requirements: string[], votes: Vote[]): string[] => satisfiedLiterals({ requirements, votes, terms }).map(({ literal }) => literal);

describe('what votes satisfy', () => {
  test('n people of a group satisfy every number up to n, and it says who they are', () => {
    const answer = satisfiedLiterals({
      terms,
      requirements: ['approval:finance:2'],
      votes: [vote('bob', 'approval:finance:2'), vote('carl', 'approval:finance:2')],
    });
    expect(answer).toEqual([
      { literal: 'approval:finance', source: 'votes', persons: ['local#bob', 'local#carl'] },
      { literal: 'approval:finance:2', source: 'votes', persons: ['local#bob', 'local#carl'] },
    ]);
  });
  test('a vote counts toward the one requirement it was cast for', () => {
    expect(literals(['approval:finance', 'approval:legal'], [vote('nora', 'approval:legal')])).toEqual(['approval:legal']);
  });
  test('one veto leaves nothing satisfied', () => {
    expect(literals(['approval:finance'], [vote('bob', 'approval:finance'), vote('carl', 'approval:finance', 'deny')])).toEqual([]);
  });
  test('the same human under two accounts, or two accounts under one name, counts once', () => {
    const twoIssuers = [vote('bob', 'approval:finance:2'), { ...vote('x', 'approval:finance:2'), person: 'https://login.acme.example#bob' }];
    expect(literals(['approval:finance:2'], twoIssuers)).toEqual(['approval:finance']);
    expect(literals(['approval:finance:2'], [vote('bob', 'approval:finance:2'), vote('b2', 'approval:finance:2', 'approve', 'bob')])).toEqual([
      'approval:finance',
    ]);
  });
  test('a plain vote satisfies nothing that asks for a passkey, nor what Taskgate does not know', () => {
    for (const asked of ['approval:finance:passkey', 'confirm:sponsor:passkey', 'redact:pii', 'approval:finance:1', 'sorcery']) {
      expect(literals([asked], [vote('bob', asked)])).toEqual([]);
    }
  });
  test('signed votes satisfy the plain form too, each number as far as it was signed', () => {
    const asked = 'approval:finance:2:passkey';
    expect(literals([asked], [signed('bob', asked), signed('carl', asked)])).toEqual([
      ...['approval:finance', 'approval:finance:2', 'approval:finance:passkey', 'approval:finance:2:passkey'],
    ]);
    const plain = 'approval:finance:2';
    expect(literals([plain], [signed('bob', plain), vote('carl', plain)])).toEqual(['approval:finance', 'approval:finance:2', 'approval:finance:passkey']);
    expect(literals(['confirm:sponsor:passkey'], [signed('ana', 'confirm:sponsor:passkey')])).toEqual(['confirm:sponsor', 'confirm:sponsor:passkey']);
  });
  test('where only signed votes count, plain ones satisfy nothing', () => {
    const plain = 'approval:finance:2';
    const row = { requirements: [plain], terms, votes: [signed('bob', plain), vote('carl', plain)] };
    expect(satisfiedLiterals(row, 'signed').map(({ literal, persons }) => [literal, persons])).toEqual([
      ['approval:finance', ['local#bob']],
      ['approval:finance:passkey', ['local#bob']],
    ]);
  });
  test("the sponsor's confirmation satisfies exactly itself", () => {
    expect(literals(['confirm:sponsor'], [vote('ana', 'confirm:sponsor')])).toEqual(['confirm:sponsor']);
  });
  test('never more people than voted, never for a requirement nobody asked, nothing after any veto', () => {
    const asked = fc.constantFrom('approval:finance', 'approval:finance:2', 'approval:legal:3', 'confirm:sponsor');
    const votes = fc.array(
      fc.record({ who: fc.integer({ min: 0, max: 5 }), asked, decision: fc.constantFrom<Vote['decision']>('approve', 'approve', 'approve', 'deny') }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(fc.uniqueArray(asked), votes, (requirements, cast) => {
        const given = cast.map(({ who, asked: literal, decision }) => vote(`p${who}`, literal, decision));
        const answer = satisfiedLiterals({ requirements, votes: given, terms });
        if (given.some(({ decision }) => decision === 'deny')) return answer.length === 0;
        return answer.every(({ literal, persons }) => {
          const [kind, group, count = '1'] = literal.split(':');
          const from = requirements.filter((one) => one.startsWith(`${kind}:${group}`)) as string[];
          const voters = new Set(given.filter((one) => from.includes(one.requirement)).map(({ person }) => person));
          return from.length > 0 && new Set(persons).size === persons.length && persons.every((one) => voters.has(one)) && persons.length >= Number(count);
        });
      }),
    );
  });
});
