import { expect, it } from 'vitest';
import type { CallIo, CallRequest } from '../../server/call/index.ts';
import type { Judgement } from '../../server/call/judge.ts';
import { isGenuine, obtainWarrant, type Warrant } from '../../server/call/obtain-warrant.ts';
import type { Ports } from '../../server/ports.ts';

/** Of a read that nobody is asked about. */
const allowed = { decision: { decision: 'allow', policies: [] }, wouldBe: null, tool: { tool: { manifest: { effect: 'read' } } } } as unknown as Judgement;

it('is what obtain-warrant made, as it made it: not a copy of it, nor what stands on it', async () => {
  const warrant = (await obtainWarrant({} as Ports, allowed, { resumes: null } as CallRequest, {} as CallIo, 'dec_1')) as Warrant;
  expect(isGenuine(warrant)).toBe(true);
  for (const forged of [{ ...warrant }, Object.create(warrant), Object.assign(Object.create(Object.getPrototypeOf(warrant)), warrant)]) {
    expect(isGenuine(forged as Warrant)).toBe(false);
  }
  expect(() => Object.assign(warrant, { approval: null })).toThrow(TypeError);
});
