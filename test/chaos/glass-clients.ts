import type { Answer, Doors } from './doors.ts';
import type { Entry } from './journal.ts';
import { glass as terms } from './world.ts';

/** Two people of the emergency group open a session: bob asks, carl confirms. Erin, who took no part, reviews. */
export interface GlassClients {
  /** Each answers the break-glass as it stands, also when that had been done before. */
  askGlass(url: string, session: string): Promise<string>;
  confirmGlass(url: string, glass: string): Promise<void>;
  endGlass(url: string, glass: string): Promise<void>;
  reviewGlass(url: string, glass: string): Promise<void>;
}

interface Shown {
  readonly id: string;
  readonly session: string;
  readonly status: string;
  readonly reviewed_at: number | null;
}
const reason = 'Salaries are due and finance cannot be reached';
const mostTries = 20;

export function makeGlassClients(v1: Doors['v1'], note: (entry: Entry) => void): GlassClients {
  /** The configuration may move on at any time; a step judged on the one before is taken again. */
  async function step(url: string, person: string, path: string, body: object): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await v1(url, person, 'POST', path, body);
      if (answer.body['code'] !== 'stale' || attempt === mostTries) return answer;
    }
  }
  const shown = async (url: string, glass: string): Promise<Shown> => (await v1(url, 'carl', 'GET', `/break-glass/${glass}`)).body as unknown as Shown;
  /** Done now, or done before by what got no answer. */
  async function take(url: string, person: string, glass: string, verb: string, body: object, isDone: (shown: Shown) => boolean): Promise<void> {
    const answer = await step(url, person, `/break-glass/${glass}/${verb}`, body);
    if (answer.status === 200) return;
    if (answer.status !== 409 || !isDone(await shown(url, glass))) throw new Error(`${verb} of ${glass}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async function findGlass(url: string, session: string): Promise<string> {
    const { items } = (await v1(url, 'bob', 'GET', '/break-glass?limit=100')).body as unknown as { items: readonly Shown[] };
    const found = items.find((one) => one.session === session);
    if (!found) throw new Error(`break-glass of ${session} is said to be there and is not listed`);
    return found.id;
  }

  return {
    async askGlass(url, session) {
      const asked = await step(url, 'bob', '/break-glass', { session, ...terms, incident: 'INC-1', reason });
      const isThere = asked.status === 201 || asked.body['code'] === 'break_glass.already_there';
      if (!isThere) throw new Error(`break-glass was refused: ${asked.status} ${JSON.stringify(asked.body)}`);
      const glass = asked.status === 201 ? String(asked.body['id']) : await findGlass(url, session);
      note({ what: 'glass asked', glass, session });
      return glass;
    },
    async confirmGlass(url, glass) {
      await take(url, 'carl', glass, 'confirm', {}, ({ status }) => status === 'active');
      note({ what: 'glass confirmed', glass });
    },
    async endGlass(url, glass) {
      await take(url, 'bob', glass, 'end', { reason: 'all is paid' }, ({ status }) => status === 'ended');
      note({ what: 'glass ended', glass });
    },
    async reviewGlass(url, glass) {
      await take(url, 'erin', glass, 'review', { finding: 'Payments, as intended' }, ({ reviewed_at }) => reviewed_at !== null);
      note({ what: 'glass reviewed', glass });
    },
  };
}
