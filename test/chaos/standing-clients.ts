import type { Doors } from './doors.ts';
import type { Entry } from './journal.ts';
import { standing as terms } from './world.ts';

/** Dana proposes what the two of finance give, and takes it back. */
export interface StandingClients {
  proposeStanding(url: string): Promise<string>;
  /** Reads the content and votes on it as it was shown; answers the HTTP status. */
  voteStanding(url: string, person: 'bob' | 'carl', standing: string): Promise<number>;
  revokeStanding(url: string, standing: string): Promise<number>;
}

const mostTries = 20;
const daysAhead = 30;

export function makeStandingClients(v1: Doors['v1'], issuer: string, note: (entry: Entry) => void): StandingClients {
  return {
    async proposeStanding(url) {
      const ends = new Date(Date.now() + daysAhead * 86_400_000).toISOString().slice(0, 10);
      for (let attempt = 1; ; attempt++) {
        const { status, body } = await v1(url, 'dana', 'POST', '/standing-approvals', { ...terms, ends, reason: 'the same every day' });
        if (body['code'] === 'stale' && attempt < mostTries) continue;
        if (status !== 201) throw new Error(`a standing approval was refused: ${status} ${JSON.stringify(body)}`);
        const standing = String(body['id']);
        note({ what: 'standing shown', standing, digest: String(body['digest']) });
        return standing;
      }
    },
    async voteStanding(url, person, standing) {
      for (let attempt = 1; ; attempt++) {
        const { body: shown } = await v1(url, person, 'GET', `/standing-approvals/${standing}`);
        const digest = String(shown['digest']);
        note({ what: 'standing shown', standing, digest });
        const { status, body } = await v1(url, person, 'POST', `/standing-approvals/${standing}/decisions`, { decision: 'approve', digest, reason: 'as ever' });
        if (body['code'] === 'stale' && attempt < mostTries) continue;
        if (status === 200) note({ what: 'standing voted', standing, person: `${issuer}#${person}`, status: String(body['status']) });
        return status;
      }
    },
    async revokeStanding(url, standing) {
      const { status } = await v1(url, 'dana', 'POST', `/standing-approvals/${standing}/revoke`, {});
      if (status === 200) note({ what: 'standing revoked', standing });
      return status;
    },
  };
}
