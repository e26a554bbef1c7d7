import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type BrokerDoors, findDoors } from './broker.ts';
import { Failure } from './failure.ts';
import { askConsoleLink, askIdToken, type LoginTask, readPrivateJwk } from './local.ts';
import { exchangePerson } from './session.ts';

/** Who is logged in on this machine: one file a person under `<data>/people`, mode 0600, and which of them is current. */

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/);
const login = z.strictObject({
  tenant: name,
  name,
  url: z.url(),
  /** `local` renews by the machine's people key; `token` was an ID token from elsewhere and cannot. */
  by: z.enum(['local', 'token']),
  access_token: z.string(),
  /** Epoch milliseconds. */
  expires_at: z.int(),
  /** The task this login was for; a session asked for with exactly this is attested by the sponsor. */
  task: z.strictObject({ agent: name, details: z.record(z.string(), z.unknown()).nullable() }).nullable(),
});
export type Login = z.infer<typeof login>;
const current = z.strictObject({ tenant: name, name });

const peopleKey = (data: string, tenant: string): string => join(data, 'local', tenant, 'people.json');
const keyRemedy =
  'the local provider works on the machine of the embedded default; elsewhere use `npx taskgate login --token-file FILE`, or open /console of the broker';

/** Whether a tenant exists the broker tells no stranger; this machine's own folder may. */
async function tenantRemedy(data: string, tenant: string): Promise<string> {
  const tenants = await readdir(join(data, 'local')).catch((): string[] => []);
  return tenants.length === 0 || tenants.includes(tenant) ? keyRemedy : `check --tenant: the local provider here knows ${tenants.sort().join(' and ')}`;
}

/** Logs `as` in by the `local` provider; makes them current. */
export async function logInLocally(doors: BrokerDoors, data: string, as: string, task: Login['task']): Promise<Login> {
  const key = await readPrivateJwk(peopleKey(data, doors.tenant), await tenantRemedy(data, doors.tenant));
  const { accessToken, expiresAt } = await exchangePerson(doors, await askIdToken(doors, key, as, null));
  const made: Login = { tenant: doors.tenant, name: as, url: doors.reached, by: 'local', access_token: accessToken, expires_at: expiresAt, task };
  await saveLogin(data, made, true);
  return made;
}

/** A link that logs `as` in at the console of this machine's broker; nothing is kept here. */
export async function linkToConsole(doors: BrokerDoors, data: string, as: string): Promise<{ readonly url: string; readonly expires_in: number }> {
  return askConsoleLink(doors, await readPrivateJwk(peopleKey(data, doors.tenant), await tenantRemedy(data, doors.tenant)), as);
}

/** Logs in whoever an ID token from the tenant's issuer names; `as` is only what the login is called here. */
export async function logInWithToken(doors: BrokerDoors, data: string, as: string, idToken: string): Promise<Login> {
  const { accessToken, expiresAt } = await exchangePerson(doors, idToken);
  const made: Login = { tenant: doors.tenant, name: as, url: doors.reached, by: 'token', access_token: accessToken, expires_at: expiresAt, task: null };
  await saveLogin(data, made, true);
  return made;
}

/** The last login (of `tenant`, when given); null when nobody is logged in. */
export async function currentLogin(data: string, tenant: string | null, as: string | null = null): Promise<Login | null> {
  const named = await readState(join(data, 'people', 'current.json'), current);
  const who = as !== null && tenant !== null ? { tenant, name: as } : named;
  if (who === null || (tenant !== null && who.tenant !== tenant)) return null;
  return readState(join(data, 'people', who.tenant, `${who.name}.json`), login);
}

/** A token `/v1` takes, renewed without asking when the machine's people key can. */
export async function personToken(data: string, held: Login, url: string): Promise<string> {
  if (held.url === url && held.expires_at - Date.now() > 30_000) return held.access_token;
  if (held.by === 'token') throw new Failure(`the login of ${held.name} has expired`, { remedy: 'log in again with `npx taskgate login --token-file FILE`' });
  const doors = await findDoors(url, held.tenant);
  const key = await readPrivateJwk(peopleKey(data, held.tenant), keyRemedy);
  const { accessToken, expiresAt } = await exchangePerson(doors, await askIdToken(doors, key, held.name, null));
  await saveLogin(data, { ...held, url: doors.reached, access_token: accessToken, expires_at: expiresAt }, false);
  return accessToken;
}

/** A fresh ID token of the logged-in person that names the agent, and the task when the login was for exactly this one. */
export async function sponsorToken(doors: BrokerDoors, data: string, held: Login, task: LoginTask): Promise<string> {
  if (held.by === 'token') {
    throw new Failure(`${held.name} is logged in by a token from elsewhere, which cannot name an agent`, {
      remedy: 'give the sponsor’s ID token with --sponsor-token FILE',
    });
  }
  return askIdToken(doors, await readPrivateJwk(peopleKey(data, doors.tenant), keyRemedy), held.name, task);
}

export async function forgetLogin(data: string, held: Login): Promise<void> {
  await rm(join(data, 'people', held.tenant, `${held.name}.json`), { force: true });
  const named = await readState(join(data, 'people', 'current.json'), current);
  if (named?.tenant === held.tenant && named.name === held.name) await rm(join(data, 'people', 'current.json'), { force: true });
}

async function saveLogin(data: string, made: Login, makeCurrent: boolean): Promise<void> {
  const folder = join(data, 'people', made.tenant);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writePrivate(join(folder, `${made.name}.json`), login.parse(made));
  if (makeCurrent) await writePrivate(join(data, 'people', 'current.json'), { tenant: made.tenant, name: made.name });
}

/** Written beside and renamed: a crash leaves the old or the new, and the token is never readable by others. */
async function writePrivate(file: string, value: unknown): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await chmod(draft, 0o600);
  await rename(draft, file);
}

async function readState<T>(file: string, shape: z.ZodType<T>): Promise<T | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return null;
  }
  try {
    return shape.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure(`${file} is damaged`, { remedy: 'remove it and log in again with `npx taskgate login`', cause: error });
  }
}
