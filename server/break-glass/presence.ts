import { type Assertion, challengePresence, provePresence, type RequestOptions, type Step } from '../approvals/index.ts';
import { isFreshLogin } from '../identity/index.ts';
import type { BreakGlassRow } from '../store/index.ts';
import { type Asker, type Needs, whyNotActivate } from './asker.ts';
import { type BreakGlassRefusal, refuseBreakGlass } from './refusals.ts';
import type { BreakGlassRequest } from './request.ts';

/** How somebody showed that they are there: by a login of the last minutes, or by their passkey over this very step. */
export interface Presence {
  readonly ok: true;
  /** The key that signed; null for a login. */
  readonly passkey: string | null;
}

export const requesting = (asked: BreakGlassRequest): Step => ({ step: 'break_glass.request', about: { ...asked, tools: [...asked.tools] } });
/** What is confirmed is what was asked for, whole. */
export const confirming = ({ id, session, terms }: Pick<BreakGlassRow, 'id' | 'session' | 'terms'>): Step => ({
  step: 'break_glass.confirm',
  about: { id, session, terms },
});

/** The one place that says what a strong, fresh proof is. A signature that is given has to be good, however fresh the login. */
export async function provesPresence(ports: Needs, { person }: Asker, step: Step, given: Assertion | undefined): Promise<Presence | BreakGlassRefusal> {
  if (given === undefined) return isFreshLogin(person, ports.clock()) ? { ok: true, passkey: null } : refuseBreakGlass('break_glass.login_not_fresh');
  const proof = await provePresence(ports, person, step, given);
  if ('passkey' in proof) return { ok: true, passkey: proof.passkey };
  await ports.access.known({ tenant: person.tenant, actor: person.id, door: 'v1', code: 'passkey.refused', detail: proof.why });
  return refuseBreakGlass('break_glass.passkey_refused');
}

/** What their passkey has to sign for this step; refused as the step itself would be for who they are. */
export async function challengeStep(
  ports: Needs,
  asker: Asker,
  step: Step | null,
): Promise<{ readonly ok: true; readonly options: RequestOptions } | BreakGlassRefusal> {
  const refused = whyNotActivate(asker);
  if (refused) return refused;
  if (step === null) return refuseBreakGlass('break_glass.not_found');
  const options = await challengePresence(ports, asker.person, step);
  return options ? { ok: true, options } : refuseBreakGlass('break_glass.no_passkey');
}

/** In the record of the step. */
export const provenBy = ({ passkey }: Presence): { passkey?: { id: string } } => (passkey === null ? {} : { passkey: { id: passkey } });
