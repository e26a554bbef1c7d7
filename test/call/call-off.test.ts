import { expect, it } from 'vitest';
import { CallOff } from '../../server/call/call-off.ts';

it('is told once, with its reason, to whoever still listens', () => {
  const heard: string[] = [];
  const off = new CallOff();
  const leaving = (): void => void heard.push('left before');
  off.addEventListener('abort', leaving);
  off.addEventListener('abort', () => heard.push(`${off.aborted} ${String(off.reason)}`));
  off.removeEventListener('abort', leaving);
  expect(off.aborted).toBe(false);
  off.abort('ended');
  off.abort('again');
  expect([heard, off.reason]).toEqual([['true ended'], 'ended']);
});
