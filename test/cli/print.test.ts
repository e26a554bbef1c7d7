import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plain, table } from '../../server/cli/print.ts';
import { readInputs } from '../../server/cli/task-options.ts';

it('shows control, bidi and invisible characters of others instead of obeying them', () => {
  expect(plain('pay \u001b[2Jbob\u202eevil\u200b')).toBe('pay \\u001b[2Jbob\\u202eevil\\u200b');
});

it('never lets text from outside reach the terminal as anything but visible characters', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !/[\p{Cc}\p{Cf}]/u.test(plain(text))));
});

it('keeps a table’s rows to one line each, whatever a cell holds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { minLength: 1 }), (rows) => table(['a', 'b'], rows).split('\n').length === rows.length + 1),
  );
});

it('aligns columns by their widest cell', () => {
  expect(
    table(
      ['id', 'of'],
      [
        ['a', 'x'],
        ['long', null],
      ],
    ).split('\n'),
  ).toEqual(['ID    OF', 'a     x', 'long']);
});

it('reads inputs as text unless they are JSON', () => {
  expect(readInputs(['invoice=INV-7', 'limit=500', 'eu=true', 'tags=["a"]', 'note=a=b', 'name=nullable', 'odd=12-34'])).toEqual({
    invoice: 'INV-7',
    limit: 500,
    eu: true,
    tags: ['a'],
    note: 'a=b',
    name: 'nullable',
    odd: '12-34',
  });
});

it('refuses an input without a name, and one given twice', () => {
  expect(() => readInputs(['=x'])).toThrow('not name=value');
  expect(() => readInputs(['invoice'])).toThrow('not name=value');
  expect(() => readInputs(['a=1', 'a=2'])).toThrow('twice');
});

it('keeps an input called __proto__ an input', () => {
  const inputs = readInputs(['__proto__=x']);
  expect(Object.keys(inputs)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(inputs)).toBe(Object.prototype);
});
