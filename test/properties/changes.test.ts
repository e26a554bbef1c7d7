import fc from 'fast-check';
import { expect, test } from 'vitest';
import { approversOf, whyBarred } from '../../server/changes/barred.ts';
import { changeDigest } from '../../server/changes/digest.ts';
import { lineDifference, wholeDifference } from '../../server/changes/line-difference.ts';
import { isTooRecent } from '../../server/changes/recent.ts';
import { type TenantDocument, tenantDocument } from '../../server/documents/index.ts';
import { touchedBy } from '../../server/documents/touches.ts';

const subject = fc.tuple(fc.constantFrom('local', 'https://a.example', 'https://b.example'), fc.constantFrom('ana', 'bob', 'carl')).map((two) => two.join('#'));
const token = fc.constantFrom('group:a', 'group:b', 'role:admin', 'role:reviewer', 'policy', 'upstream:u', 'agent:x');
const change = fc.record({
  author: subject,
  touches: fc.uniqueArray(token),
  adds: fc.dictionary(subject, fc.uniqueArray(token, { minLength: 1 }), { maxKeys: 3 }),
});
const human = (account: string): string => account.slice(account.indexOf('#') + 1);

test('whoever asked is barred, under each account; whoever is or was just made an admin is, too; and no others lose their word by it', () => {
  fc.assert(
    fc.property(change, fc.array(change, { maxLength: 3 }), subject, (one, recent, person) => {
      const why = whyBarred({ recent, operators: [] }, { ...one, needs: 'admin' }, person);
      const made = [one, ...recent].some(({ adds }) => Object.entries(adds).some(([who, to]) => to.includes('role:admin') && human(who) === human(person)));
      if (human(one.author) === human(person) || made) expect(why).not.toBeNull();
      const stranger = `local#${human(person)}-too`;
      expect(whyBarred({ recent, operators: [] }, { ...one, needs: 'admin' }, stranger)).toBeNull();
      expect(whyBarred({ recent, operators: [] }, { ...one, needs: 'operator' }, stranger)).toBe('change.not_operator');
    }),
  );
});

test('names as approvers exactly the admins who are not barred', () => {
  const people = fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.record({ subject, roles: fc.uniqueArray(fc.constantFrom('admin', 'reviewer')) }), {
    maxKeys: 6,
  });
  fc.assert(
    fc.property(people, change, fc.array(change, { maxLength: 2 }), (named, one, recent) => {
      const document = tenantDocument.parse({ kind: 'Tenant', name: 't', people: named });
      const bars = { recent, operators: [] };
      for (const name of approversOf({ document }, bars, { ...one, needs: 'admin' })) {
        expect(document.people[name]?.roles).toContain('admin');
        expect(whyBarred(bars, { ...one, needs: 'admin' }, document.people[name]?.subject ?? '')).toBeNull();
      }
    }),
  );
});

test('more changes, or resting on more, never let anyone decide who might not before', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), change, fc.uniqueArray(token), token, subject, (recent, more, rests, another, person) => {
      if (!isTooRecent(recent, new Set(rests), person)) return;
      expect(isTooRecent([...recent, more], new Set([...rests, another]), person)).toBe(true);
    }),
  );
});

const people = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,3}$/),
  fc.record({ subject, groups: fc.uniqueArray(fc.constantFrom('a', 'b')), roles: fc.uniqueArray(fc.constantFrom('admin', 'reviewer')) }),
  { maxKeys: 5 },
);
const item = { tenant: 't', kind: 'Tenant', name: 't', change: 'changed', effect: 'widens', differences: [], sha256: '' } as const;

test('every group and role an account has after a change and had not before stands in what the change adds, however people are renamed', () => {
  fc.assert(
    fc.property(people, people, (a, b) => {
      const [before, after] = [a, b].map((one) => tenantDocument.parse({ kind: 'Tenant', name: 't', people: one })) as [TenantDocument, TenantDocument];
      const { touches, adds } = touchedBy([item], before, after);
      const has = (document: TenantDocument, account: string, what: string): boolean =>
        Object.values(document.people).some(
          (one) => one.subject === account && [...one.groups.map((g) => `group:${g}`), ...one.roles.map((r) => `role:${r}`)].includes(what),
        );
      for (const account of new Set(Object.values(after.people).map((one) => one.subject)))
        for (const what of ['group:a', 'group:b', 'role:admin', 'role:reviewer']) {
          const added = has(after, account, what) && !has(before, account, what);
          expect(adds[account]?.includes(what) ?? false).toBe(added);
          if (added) expect(touches).toContain(what);
        }
    }),
  );
});

test('a digest is another for whatever else would take effect, and for whom it is asked', () => {
  const row = { tenant: 't', id: 'chg_1', author: 'local#ana', needs: 'admin' } as const;
  const planned = { revision: 1, items: [item], recorded: [], touches: [], adds: {} };
  const digest = changeDigest(row, planned);
  const others = [
    changeDigest({ ...row, tenant: 'u' }, planned),
    changeDigest({ ...row, id: 'chg_2' }, planned),
    changeDigest({ ...row, author: 'local#bob' }, planned),
    changeDigest({ ...row, needs: 'operator' }, planned),
    changeDigest(row, { ...planned, revision: 2 }),
    changeDigest(row, { ...planned, items: [{ ...item, sha256: 'a' }] }),
    changeDigest(row, { ...planned, items: [{ ...item, differences: ['more'] }] }),
    changeDigest(row, { ...planned, recorded: [{ change: 'changed', kind: 'Pin', name: 'u/x', effect: 'widens', sha256: 'b' }] }),
  ];
  expect(new Set([digest, ...others]).size).toBe(others.length + 1);
});

const text = fc.array(fc.constantFrom('a', 'b', 'c', '', '  d: 1'), { maxLength: 25 }).map((lines) => lines.map((line) => `${line}\n`).join(''));

test('the lines of a difference make each text out of the other, and what is shown leaves out no line that differs', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const whole = wholeDifference(before, after);
      const side = (without: string): string =>
        whole
          .filter(({ sign }) => sign !== without)
          .map((line) => `${line.text}\n`)
          .join('');
      expect([side('+'), side('-')]).toEqual([before, after]);
      const differ = (lines: typeof whole) => lines.filter(({ sign }) => sign !== ' ');
      expect(differ(lineDifference(before, after))).toEqual(differ(whole));
    }),
  );
});
