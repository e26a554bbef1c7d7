import { readBars, whyBarred } from '../../changes/index.ts';
import { isFreshLogin } from '../../identity/caller.ts';
import type { Ports } from '../../ports.ts';
import type { PasskeyRow } from '../../store/store.ts';
import { sameHuman } from '../excluded.ts';
import type { Standing } from '../standing.ts';
import { type Enroller, effectiveAfterMs } from './enrol.ts';
import { type PasskeyRefusal, refusePasskey } from './refusals.ts';
import { type PasskeyView, viewPasskey } from './view.ts';

type Needs = Pick<Ports, 'store' | 'clock'>;
type Answer = { readonly ok: true; readonly passkey: PasskeyView } | PasskeyRefusal;
export interface Manager extends Enroller {
  readonly standing: Standing;
}

/** Of one person, or (null) of the whole tenant; oldest first. */
export async function listPasskeys(ports: Needs, tenant: string, person: string | null): Promise<PasskeyView[]> {
  const now = ports.clock();
  return (await ports.store.listPasskeys(tenant, person)).map((row) => viewPasskey(row, now));
}

/**
 * An admin who is not its owner vouches for a key: from a day later on it signs. Nobody needs a passkey for that, so that the first
 * of a tenant has no exception of its own. In a tenant of one person that person does it, and the record says so.
 */
export async function confirmPasskey(ports: Needs, { person, standing, snapshot }: Manager, id: string): Promise<Answer> {
  const at = ports.clock();
  if (!standing.roles.has('admin')) return refusePasskey('role.missing');
  const key = await find(ports, person.tenant, id);
  if (!key || key.removedAt !== null) return refusePasskey('passkey.not_found');
  const { personal } = snapshot.document;
  if (!personal && sameHuman(key.person, person.id)) return refusePasskey('passkey.own');
  if (!personal && whyBarred(await readBars(ports, person.tenant), { author: key.person, needs: 'admin', adds: {} }, person.id))
    return refusePasskey('passkey.too_recent');
  if (!isFreshLogin(person, at)) return refusePasskey('login.not_fresh');
  const effectiveAt = at + effectiveAfterMs;
  await ports.store.confirmPasskey(
    person.tenant,
    id,
    { by: person.id, effectiveAt },
    {
      ...{ type: 'passkey.confirmed', at, tenant: person.tenant, actor: person.id, person: key.person, passkey: { id }, effective_at: effectiveAt },
      ...(personal ? { personal } : {}),
    },
  );
  return after(ports, person.tenant, id);
}

/** Its owner or an admin takes a key out of use, at once and for good: that only narrows, and a lost key cannot wait. */
export async function removePasskey(ports: Needs, { person, standing }: Pick<Manager, 'person' | 'standing'>, id: string): Promise<Answer> {
  const at = ports.clock();
  const key = await find(ports, person.tenant, id);
  if (!key || (key.person !== person.id && !standing.roles.has('admin'))) return refusePasskey('passkey.not_found');
  if (!isFreshLogin(person, at)) return refusePasskey('login.not_fresh');
  await ports.store.removePasskey(person.tenant, id, at, {
    ...{ type: 'passkey.removed', at, tenant: person.tenant, actor: person.id, person: key.person, passkey: { id } },
  });
  return after(ports, person.tenant, id);
}

const find = async (ports: Needs, tenant: string, id: string): Promise<PasskeyRow | undefined> =>
  (await ports.store.listPasskeys(tenant, null)).find((one) => one.id === id);

async function after(ports: Needs, tenant: string, id: string): Promise<Answer> {
  const key = await find(ports, tenant, id);
  return key ? { ok: true, passkey: viewPasskey(key, ports.clock()) } : refusePasskey('passkey.not_found');
}
