import { expect, test } from 'vitest';
import { createMemo } from '../../policies/engine/memo.ts';
import type { ReadTree } from '../../policies/engine/project.ts';
import { call, compiled, permit, source } from './tenants.ts';

const leaf: ReadTree = { whole: true, below: new Map() };
const request = (context: Record<string, unknown>, attrs: Record<string, unknown> = {}) =>
  ({ context, entities: [{ uid: { type: 'A', id: 'a' }, parents: [], attrs }] }) as unknown as Parameters<ReturnType<typeof createMemo>['answer']>[2];

function counting() {
  const memo = createMemo();
  let asked = 0;
  return {
    ask(reads: ReadTree, context: Record<string, unknown>, attrs = {}, lasts = true): number {
      const before = asked;
      memo.answer(
        'call',
        reads,
        request(context, attrs),
        () => ({ n: ++asked }),
        () => lasts,
      );
      return asked - before;
    },
  };
}

test('a fact that no policy of the slice reads does not make another question; one that is read does', () => {
  const { ask } = counting();
  const reads: ReadTree = { whole: false, below: new Map([['bound', leaf]]) };
  expect([ask(reads, { bound: true, now: 1 }), ask(reads, { bound: true, now: 2 }), ask(reads, { bound: false, now: 2 })]).toEqual([1, 0, 1]);
});

test('that an attribute of principal or resource changed is always another question', () => {
  const { ask } = counting();
  const reads: ReadTree = { whole: false, below: new Map() };
  expect([ask(reads, {}, { status: 'active' }), ask(reads, {}, { status: 'suspended' })]).toEqual([1, 1]);
});

test('a value looked for is told apart from one that is not there, and from one under another name', () => {
  const { ask } = counting();
  const there: ReadTree = { whole: false, below: new Map() };
  const reads: ReadTree = {
    whole: false,
    below: new Map([
      ['a', there],
      ['b', there],
    ]),
  };
  expect([ask(reads, { a: 1 }), ask(reads, { b: 1 }), ask(reads, {}), ask(reads, { a: 2 }), ask(reads, { a: 1, b: 1 })]).toEqual([1, 1, 1, 0, 1]);
});

test('an answer that does not last is asked for again', () => {
  const { ask } = counting();
  const reads: ReadTree = { whole: false, below: new Map() };
  expect([ask(reads, {}, {}, false), ask(reads, {}, {}, false)]).toEqual([1, 1]);
});

test('a law remembers for itself alone: the next revision is asked afresh', async () => {
  const one = await compiled(source(permit));
  const two = await compiled(source(`${permit}@id("acme/never") @reason("closed") forbid (principal, action in Taskgate::Action::"call", resource);`));
  const facts = call({});
  expect(one.decide(facts).decision).toBe('allow');
  expect(two.decide(facts).decision).toBe('deny');
  expect(one.decide(facts).decision).toBe('allow');
});
