import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BrokerDoors, currentLogin, findDoors, forgetLogin, logInLocally, logInWithToken, personToken } from '../../server/connect/index.ts';
import { sponsorFor } from '../../server/connect/sponsor.ts';
import { type StandIn, standIn } from './stand-in.ts';

let broker: StandIn;
let doors: BrokerDoors;
beforeEach(async () => {
  broker = await standIn();
  doors = await findDoors(broker.url, 'acme');
});
afterEach(() => broker.close());

const details = { type: 'taskgate-task', use_case: 'match-invoices', inputs: { invoice: 'INV-7' } };
const asking = { agent: 'invoice-matcher', sponsorToken: null, task: { use_case: 'match-invoices', inputs: { invoice: 'INV-7' } } };

it('keeps a login under people with mode 0600, the last one current', async () => {
  await logInLocally(doors, broker.data, 'ana', null);
  await logInLocally(doors, broker.data, 'bob', null);
  for (const file of ['acme/ana.json', 'acme/bob.json', 'current.json']) expect((await stat(join(broker.data, 'people', file))).mode & 0o777).toBe(0o600);
  expect((await stat(join(broker.data, 'people', 'acme'))).mode & 0o777).toBe(0o700);
  expect((await currentLogin(broker.data, null))?.name).toBe('bob');
  expect((await currentLogin(broker.data, 'acme', 'ana'))?.name).toBe('ana');
  expect(await currentLogin(broker.data, 'globex')).toBeNull();
});

it('asks for a token that is good at /v1 and nowhere else', async () => {
  await logInLocally(doors, broker.data, 'ana', null);
  expect(broker.asked[0]).toMatchObject({ resource: `${broker.url}/v1`, subject_token: 'id.of.person' });
  expect(broker.asked[0]).not.toHaveProperty('actor_token');
  expect(broker.assertions[0]).toMatchObject({ sub: 'ana', aud: `${broker.url}/t/acme/local` });
});

it('renews a local login silently when it runs out, and only then', async () => {
  const login = await logInLocally(doors, broker.data, 'ana', null);
  expect(await personToken(broker.data, login, broker.url)).toBe('token-1');
  broker.tokenLife = 10;
  const short = await logInLocally(doors, broker.data, 'ana', null);
  expect(await personToken(broker.data, short, broker.url)).toBe('token-3');
  expect((await currentLogin(broker.data, 'acme'))?.access_token).toBe('token-3');
});

it('cannot renew a login by a token from elsewhere, and says so', async () => {
  broker.tokenLife = 10;
  const login = await logInWithToken(doors, broker.data, 'ana', 'a.b.c');
  await expect(personToken(broker.data, login, broker.url)).rejects.toThrow('has expired');
});

it('does not send a token to another broker than the one that gave it', async () => {
  const login = await logInLocally(doors, broker.data, 'ana', null);
  const other = await standIn();
  try {
    await expect(personToken(broker.data, { ...login, by: 'token' }, other.url)).rejects.toThrow('has expired');
  } finally {
    await other.close();
  }
});

it('has the sponsor sign the task only when they logged in for exactly it', async () => {
  const signed = async (): Promise<unknown> => Object.entries(broker.assertions.at(-1)?.['body'] ?? {}).find(([name]) => name === 'authorization_details')?.[1];
  const ask = (task = asking.task) => sponsorFor(doors, { ...asking, task, data: broker.data });
  await logInLocally(doors, broker.data, 'ana', { agent: 'invoice-matcher', details });
  await ask();
  expect(await signed()).toEqual([details]);
  await ask({ use_case: 'match-invoices', inputs: { invoice: 'INV-8' } });
  expect(await signed()).toBeUndefined();
  await logInLocally(doors, broker.data, 'ana', { agent: 'another', details });
  await ask();
  expect(await signed()).toBeUndefined();
});

it('names the agent in every ID token it asks for a sponsor', async () => {
  await logInLocally(doors, broker.data, 'ana', null);
  await sponsorFor(doors, { ...asking, data: broker.data });
  expect(broker.assertions.at(-1)).toMatchObject({ sub: 'ana', body: { as: 'ana', agent: 'invoice-matcher' } });
});

it('takes the sponsor’s token from the file when one is named', async () => {
  const file = join(broker.data, 'sponsor.jwt');
  await writeFile(file, 'x.y.z\n');
  expect(await sponsorFor(doors, { ...asking, data: broker.data, sponsorToken: file })).toBe('x.y.z');
  await writeFile(file, 'not a token');
  await expect(sponsorFor(doors, { ...asking, data: broker.data, sponsorToken: file })).rejects.toThrow('does not hold a JWT');
});

it('has no sponsor when nobody is logged in, or after they left', async () => {
  expect(await sponsorFor(doors, { ...asking, data: broker.data })).toBeNull();
  await forgetLogin(broker.data, await logInLocally(doors, broker.data, 'ana', null));
  expect(await currentLogin(broker.data, null)).toBeNull();
  expect(await sponsorFor(doors, { ...asking, data: broker.data })).toBeNull();
});

it('says which file is damaged, and never what stands in it', async () => {
  await logInLocally(doors, broker.data, 'ana', null);
  const file = join(broker.data, 'people', 'acme', 'ana.json');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('"by"', '"buy"'));
  const failed = await currentLogin(broker.data, 'acme').catch((error: unknown) => error);
  expect(String(failed)).toContain(file);
  expect(String(failed)).not.toContain('token-1');
});
