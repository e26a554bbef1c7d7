import type { Person } from '../../server/identity/index.ts';
import { type Api, openApi } from '../api/fixture.ts';
import { type Authenticator, createAuthenticator } from '../support/authenticator.ts';
import { acme } from './fixture.ts';

export const day = 24 * 3_600_000;
export const reason = 'matches order 4711';

export interface PasskeyBench extends Api {
  /** The person, logged in just now. */
  fresh(person: Person): Person;
  /** Enrols a key of this person, without anybody's word for it yet. */
  enrol(person: Person, key?: Authenticator): Promise<{ key: Authenticator; id: string }>;
  /** Enrolled, confirmed by dana, and a day gone by. */
  signer(person: Person): Promise<{ key: Authenticator; id: string }>;
  challenge(
    person: Person,
    approval: string,
    body: object,
  ): Promise<{ options: { challenge: string; allowCredentials: { id: string }[] }; signs: Record<string, unknown> }>;
}

export const bob = acme('local#bob');
export const carl = acme('local#carl');
export const ana = acme('local#ana');
export const dana = acme('local#dana');

export async function openPasskeys(): Promise<PasskeyBench> {
  const api = await openApi();
  const fresh = (person: Person): Person => ({ ...person, loggedInAt: api.now.at });
  const enrol = async (person: Person, key = createAuthenticator()) => {
    const { json } = await api.as(fresh(person), 'POST', '/me/passkeys/options');
    const answer = await api.as(fresh(person), 'POST', '/me/passkeys', { name: 'yellow key', credential: key.make(json.options) });
    if (answer.status !== 200) throw new Error(answer.text);
    return { key, id: answer.json.id as string };
  };
  return {
    ...api,
    fresh,
    enrol,
    async signer(person) {
      const made = await enrol(person);
      const answer = await api.as(fresh(dana), 'POST', `/passkeys/${made.id}/confirm`);
      if (answer.status !== 200) throw new Error(answer.text);
      api.now.at += day;
      return made;
    },
    async challenge(person, approval, body) {
      const answer = await api.as(person, 'POST', `/approvals/${approval}/challenge`, body);
      if (answer.status !== 200) throw new Error(answer.text);
      return answer.json;
    },
  };
}
