import { DpopSession } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BrokerDoors, findDoors } from '../../server/connect/broker.ts';
import { type HeldTask, holdTask } from '../../server/connect/hold-task.ts';
import { openTask } from '../../server/connect/session.ts';
import { type StandIn, standIn } from './stand-in.ts';

let broker: StandIn;
let doors: BrokerDoors;
let now: number;
let proofs: number;
const workload = {
  prove: async () => {
    proofs += 1;
    return `proof.${proofs}.x`;
  },
};
const holder = await DpopSession.create();
const hold = (): HeldTask =>
  holdTask(
    doors,
    workload,
    holder,
    () => openTask(doors, workload, null, { use_case: 'match-invoices', inputs: {} }, holder),
    () => now,
  );

beforeEach(async () => {
  broker = await standIn();
  doors = await findDoors(broker.url, 'acme');
  now = Date.now();
  proofs = 0;
});
afterEach(() => broker.close());

it('opens one session however many ask at once, and none before anyone asks', async () => {
  const task = hold();
  expect(broker.asked).toHaveLength(0);
  const tokens = await Promise.all([task.token(), task.token(), task.token()]);
  expect(new Set(tokens)).toEqual(new Set(['token-1']));
  expect(broker.asked).toHaveLength(1);
});

it('renews before the token expires, once for all who ask, each time on a fresh proof', async () => {
  const task = hold();
  await task.token();
  now += (900 - 61) * 1000;
  expect(await task.token()).toBe('token-1');
  now += 2_000;
  expect(await Promise.all([task.token(), task.token()])).toEqual(['token-2', 'token-2']);
  expect(broker.asked.map((form) => form['client_assertion'])).toEqual(['proof.1.x', 'proof.2.x']);
});

it('asks for every token with the same key and a proof of its own, and takes none that is not bound to it', async () => {
  const task = hold();
  await task.token();
  await task.refused('expired');
  expect(broker.proofs.map(({ htm, htu, jkt }) => ({ htm, htu, jkt }))).toEqual(
    Array.from({ length: 2 }, () => ({ htm: 'POST', htu: doors.tokenEndpoint, jkt: holder.thumbprint })),
  );
  expect(new Set(broker.proofs.map(({ jti }) => jti)).size).toBe(2);
  broker.bearers = true;
  await expect(hold().token()).rejects.toThrow('not bound to the key of this process');
});

it('does not chase a token that lasts as long as its session', async () => {
  broker.tokenLife = 3600;
  const task = hold();
  await task.token();
  now += 3_590_000;
  expect(await task.token()).toBe('token-1');
  expect(broker.asked).toHaveLength(1);
});

it('keeps a token that still lives when an early renewal is refused', async () => {
  const task = hold();
  await task.token();
  broker.refuseRenewal = 'not now';
  now += 850_000;
  expect(await task.token()).toBe('token-1');
  expect(task.ended()).toBeNull();
});

it('has ended only when the broker refused the token and the renewal', async () => {
  const task = hold();
  await task.token();
  await task.refused('expired');
  expect(task.ended()).toBeNull();
  broker.refuseRenewal = 'the sponsor has left finance';
  await expect(task.refused(null)).rejects.toThrow('the sponsor has left finance');
  expect(task.ended()).toBe('the sponsor has left finance');
});

it('is not ended by a broker that cannot be reached', async () => {
  const task = hold();
  await task.token();
  await broker.close();
  await expect(task.refused('expired')).rejects.toThrow('no broker answers');
  expect(task.ended()).toBeNull();
  broker = await standIn();
});

it('gives the session back on release, and nothing when there is none to give', async () => {
  const idle = hold();
  await idle.release();
  const task = hold();
  await task.token();
  await task.release();
  expect(broker.revoked).toEqual(['token-1']);
});
