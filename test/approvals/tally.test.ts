import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tally } from '../../server/approvals/tally.ts';

const vote = (name: string, requirement = 'approval:finance:2', decision: 'approve' | 'deny' = 'approve') => ({
  person: `local#${name}`,
  name,
  requirement,
  decision,
  passkey: null as string | null,
  behalf: null,
});
const signed = (name: string, requirement: string) => ({ ...vote(name, requirement), passkey: `pky_${name}` });

describe('a tally', () => {
  it.each<[string, string[], ReturnType<typeof vote>[], string]>([
    ['nobody', ['approval:finance:2'], [], 'pending'],
    ['one of two', ['approval:finance:2'], [vote('bob')], 'pending'],
    ['two of two', ['approval:finance:2'], [vote('bob'), vote('carl')], 'approved'],
    ['the same person twice', ['approval:finance:2'], [vote('bob'), vote('bob')], 'pending'],
    ['one name from two accounts', ['approval:finance:2'], [vote('bob'), { ...vote('bob'), person: 'other#bob' }], 'pending'],
    ['one deny among enough', ['approval:finance:2'], [vote('bob'), vote('carl'), vote('eve', 'approval:finance:2', 'deny')], 'denied'],
    ['a deny after one approval', ['approval:finance:2'], [vote('bob'), vote('carl', 'approval:finance:2', 'deny')], 'denied'],
    ['a group without a number', ['approval:legal'], [vote('bob', 'approval:legal')], 'approved'],
    ['one of two requirements', ['approval:finance', 'approval:legal'], [vote('bob', 'approval:finance')], 'pending'],
    ['one person for two requirements', ['approval:finance', 'approval:legal'], [vote('bob', 'approval:finance'), vote('bob', 'approval:legal')], 'pending'],
    ['a person for each requirement', ['approval:finance', 'approval:legal'], [vote('bob', 'approval:finance'), vote('liz', 'approval:legal')], 'approved'],
    ['the larger of two numbers', ['approval:finance', 'approval:finance:2'], [vote('bob'), vote('carl')], 'approved'],
    ['the smaller of two numbers', ['approval:finance', 'approval:finance:2'], [vote('bob', 'approval:finance'), vote('carl')], 'pending'],
    ['plain votes where a passkey is asked', ['approval:finance:passkey'], [vote('bob', 'approval:finance')], 'pending'],
    ['plain votes given for it', ['approval:finance:passkey'], [vote('bob', 'approval:finance:passkey')], 'pending'],
    ['a signed vote', ['approval:finance:passkey'], [signed('bob', 'approval:finance:passkey')], 'approved'],
    [
      'a signed and a plain one of two',
      ['approval:finance:2:passkey'],
      ['bob', 'carl'].map((n, i) => (i ? vote : signed)(n, 'approval:finance:2:passkey')),
      'pending',
    ],
    ['a signed vote that covers the plain form', ['approval:finance', 'approval:finance:passkey'], [signed('bob', 'approval:finance:passkey')], 'approved'],
    ['a signed vote where none is asked', ['approval:finance'], [signed('bob', 'approval:finance')], 'approved'],
    ['a plain confirmation where a passkey is asked', ['confirm:sponsor:passkey'], [vote('ana', 'confirm:sponsor:passkey')], 'pending'],
    ['a signed confirmation for both forms', ['confirm:sponsor', 'confirm:sponsor:passkey'], [signed('ana', 'confirm:sponsor:passkey')], 'approved'],
    ['a requirement nobody asked', ['approval:finance'], [vote('bob', 'approval:legal')], 'pending'],
    ['a confirmation', ['confirm:sponsor'], [vote('ana', 'confirm:sponsor')], 'approved'],
    ['what no vote can satisfy', ['redact:pii'], [vote('bob', 'redact:pii')], 'pending'],
    ['a literal nobody knows', ['approval:finance:1'], [vote('bob', 'approval:finance:1')], 'pending'],
    ['no requirement at all', [], [vote('bob')], 'pending'],
  ])('of %s', (_, requirements, votes, status) => {
    expect(tally(requirements, votes).status).toBe(status);
  });

  it('names the distinct persons each requirement rests on', () => {
    const votes = [vote('bob'), vote('bob'), vote('liz', 'approval:legal'), vote('carl')];
    expect(tally(['approval:finance:2', 'approval:legal'], votes).voters).toEqual({
      'approval:finance:2': ['local#bob', 'local#carl'],
      'approval:legal': ['local#liz'],
    });
  });
});

describe('whatever the votes', () => {
  const literals = ['approval:finance', 'approval:finance:2', 'approval:legal:3', 'confirm:sponsor'];
  const votes = fc.array(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      requirement: fc.constantFrom(...literals),
      decision: fc.constantFrom('approve' as const, 'deny' as const),
    }),
    { maxLength: 14 },
  );
  const requirements = fc.uniqueArray(fc.constantFrom(...literals), { minLength: 1 });
  const cast = (drawn: { name: string; requirement: string; decision: 'approve' | 'deny' }[]) =>
    drawn.map((one) => ({ ...one, person: `local#${one.name}`, passkey: null as string | null, behalf: null }));

  it('approved means enough distinct people for every requirement, nobody counted twice, nobody against', () => {
    fc.assert(
      fc.property(requirements, votes, (asked, drawn) => {
        const all = cast(drawn);
        const { status, voters } = tally(asked, all);
        expect(status === 'denied').toBe(all.some(({ decision }) => decision === 'deny'));
        const counted = Object.values(voters).flat();
        expect(new Set(counted).size).toBe(counted.length);
        for (const [literal, persons] of Object.entries(voters)) {
          for (const person of persons) expect(all).toContainEqual(expect.objectContaining({ person, requirement: literal, decision: 'approve' }));
        }
        const needed = { 'approval:finance': 1, 'approval:finance:2': 2, 'approval:legal:3': 3, 'confirm:sponsor': 1 } as const;
        const people = new Set(all.map(({ person }) => person)).size;
        if (status === 'approved') expect(people).toBeGreaterThanOrEqual(Math.max(...asked.map((literal) => needed[literal as keyof typeof needed])));
      }),
    );
  });

  it('another approval never takes an approval back, another deny always denies', () => {
    fc.assert(
      fc.property(requirements, votes, fc.constantFrom(...literals), (asked, drawn, requirement) => {
        const all = cast(drawn);
        const { status } = tally(asked, all);
        if (status === 'approved') expect(tally(asked, [...all, vote('new', requirement)]).status).toBe('approved');
        expect(tally(asked, [...all, vote('new', requirement, 'deny')]).status).toBe('denied');
      }),
    );
  });
});
