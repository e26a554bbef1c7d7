import type { Doors } from './doors.ts';
import type { Entry } from './journal.ts';
import { filesOfWidth, reasonOf } from './width.ts';

/** Two admins: dana asks for what widens, erin decides. */
export interface ChangeClients {
  /** Applies documents that widen; answers the change they wait as. */
  askChange(url: string, width: number): Promise<string>;
  /** Approves the difference as it is shown, at most as often as said; answers the HTTP status or the code of what was refused. */
  approveChange(url: string, change: string, looks?: number): Promise<number | string>;
  rejectChange(url: string, change: string): Promise<number | string>;
}

/** How often the configuration may move on under an approver who looks again each time. */
const mostLooks = 20;
const lookAgain: readonly unknown[] = ['change.replanned', 'change.digest_mismatch', 'stale'];

export function makeChangeClients(v1: Doors['v1'], note: (entry: Entry) => void): ChangeClients {
  return {
    async askChange(url, width) {
      const { status, body } = await v1(url, 'dana', 'POST', '/documents/apply', { files: filesOfWidth(width), reason: reasonOf(width) });
      const [waits, ...more] = (body['waiting'] ?? []) as { id: string; digest: string }[];
      if (status !== 200 || waits === undefined || more.length > 0)
        throw new Error(`width ${width} does not wait: ${status} ${JSON.stringify(body).slice(0, 2_000)}`);
      note({ what: 'change shown', change: waits.id, digest: waits.digest });
      return waits.id;
    },
    async approveChange(url, change, looks = mostLooks) {
      for (let look = 1; ; look++) {
        const { body: shown } = await v1(url, 'erin', 'GET', `/changes/${change}`);
        const digest = String(shown['digest']);
        note({ what: 'change shown', change, digest });
        const { status, body } = await v1(url, 'erin', 'POST', `/changes/${change}/approve`, { digest, reason: 'as asked' });
        if (status === 200) note({ what: 'change approved', change });
        else if (look < looks && lookAgain.includes(body['code'])) continue;
        return status === 200 ? status : String(body['code']);
      }
    },
    async rejectChange(url, change) {
      const { status, body } = await v1(url, 'erin', 'POST', `/changes/${change}/reject`, { reason: 'not now' });
      if (status !== 200) return String(body['code']);
      note({ what: 'change rejected', change });
      return status;
    },
  };
}
