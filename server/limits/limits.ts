import type { CallSignal } from '../../tools/index.ts';
import { type Refusal, refuse } from '../call/refusals.ts';
import type { LimitSettings } from '../config.ts';
import type { Asker } from './asker.ts';
import { createCrowd } from './crowd.ts';
import { createFairQueue, type FairQueue, type Place } from './fair-queue.ts';
import { createPace } from './pace.ts';
import { type Buckets, createBuckets } from './rates.ts';
import { createShares, type Shares } from './shares.ts';
import { waitForPlace } from './wait-for-place.ts';

/** Runs a wait that costs the broker nothing, without keeping the request's place while it lasts. */
export type Aside = <T>(wait: () => Promise<T>) => Promise<T>;

/** Keeps one from taking what the others need. Everything is counted in this process; what is idle is forgotten. */
export interface Limits {
  /** Counts one MCP request of whoever has proven who they are, with a body of so many bytes; null when it may pass. */
  countRequest(asker: Asker, bytes: number): Refusal | null;
  /** After `countRequest`: what one that asks for more than its share waits for before anything is read or looked up for it; null for nothing. */
  atDoor(asker: Asker): Promise<void> | null;
  /** Counts bytes that came without having been told before. */
  countBytes(asker: Asker, bytes: number): void;
  /** Counts a call that was refused and recorded: who is refused too often is refused at the door. */
  countRefusal(asker: Asker): void;
  countToken(tenant: string, client: string): Refusal | null;
  countPerson(tenant: string, person: string): Refusal | null;
  /** Bytes of bodies a tenant has in memory; false when these would be too many. */
  holdBody(tenant: string, bytes: number): boolean;
  releaseBody(tenant: string, bytes: number): void;
  /** Bytes of an answer that its client has not read yet; with too many of them its tenant gets no further request in. */
  holdAnswer(tenant: string, bytes: number): void;
  releaseAnswer(tenant: string, bytes: number): void;
  /** Does the work of one MCP request whose body has `bytes`, in its turn. `signal` ends the wait for it. */
  inTurn<T>(asker: Asker, bytes: number, signal: AbortSignal | null, work: (aside: Aside, waited: boolean) => Promise<T>): Promise<T | Refusal>;
  /** Does what one call has to do at an upstream, in its turn. */
  atUpstream<T>(upstream: Upstream, asker: Asker, io: { readonly signal: CallSignal; readonly aside: Aside }, work: () => Promise<T>): Promise<T | Refusal>;
  /** How much is remembered, of whatever kind; 0 when nothing is under way and all buckets are full. */
  remembered(now: number): number;
}

export interface Upstream {
  readonly name: string;
  /** Calls at once. */
  readonly most: number;
  /** The most one call may bring back. */
  readonly resultBytes: number;
}

export function createLimits(settings: LimitSettings, clock: () => number): Limits {
  const { requests, refusals, tokens, in_flight, working, bytes, wait_ms } = settings;
  const asked = { session: createBuckets(requests.session), agent: createBuckets(requests.agent), tenant: createBuckets(requests.tenant) };
  const refused = { session: createBuckets(refusals.session), agent: createBuckets(refusals.agent) };
  const minted = { client: createBuckets(tokens.client), tenant: createBuckets(tokens.tenant) };
  const people = createBuckets(settings.people);
  const flying = { session: createShares(in_flight.session), agent: createShares(in_flight.agent), tenant: createShares(in_flight.tenant) };
  const bodies = createShares(bytes.bodies);
  const results = createShares(bytes.results);
  const answers = createShares(bytes.answers);
  const crowd = createCrowd();
  const pace = createPace();
  const mostOf = (tenant: string): number => (crowd.isGreedy(tenant) ? Math.min(working.greedy, working.tenant) : working.tenant);
  const places = createFairQueue({ all: working.all, group: mostOf, member: working.session });
  const upstreams = new Map<string, FairQueue>();

  return {
    countRequest({ tenant, agent, session }, size) {
      const now = clock();
      const weight = Math.max(1, size / bytesOfOne);
      const [ofSession, ofAgent] = [key(tenant, session), key(tenant, agent)];
      const denied = Math.max(refused.session.waitFor(ofSession, now), refused.agent.waitFor(ofAgent, now));
      if (denied > 0) return tooMany('Too many calls were refused', 'refused calls', denied);
      if (!answers.fits(tenant, 1)) return tooManyUnread();
      const wait = Math.max(
        asked.session.waitFor(ofSession, now, weight),
        asked.agent.waitFor(ofAgent, now, weight),
        asked.tenant.waitFor(tenant, now, weight),
      );
      if (wait > 0) return tooMany('Too many requests', 'requests', wait);
      asked.session.take(ofSession, now, weight);
      asked.agent.take(ofAgent, now, weight);
      asked.tenant.take(tenant, now, weight);
      crowd.see(tenant, now);
      return null;
    },
    atDoor({ tenant }) {
      const turn = crowd.isGreedy(tenant) ? pace.next(tenant) : null;
      if (turn === null) return null;
      crowd.come(tenant);
      return turn.then(() => crowd.go(tenant));
    },
    countBytes({ tenant, agent, session }, size) {
      const now = clock();
      const weight = Math.max(0, size / bytesOfOne - 1);
      asked.session.take(key(tenant, session), now, weight);
      asked.agent.take(key(tenant, agent), now, weight);
      asked.tenant.take(tenant, now, weight);
    },
    countRefusal({ tenant, agent, session }) {
      const now = clock();
      refused.session.take(key(tenant, session), now);
      refused.agent.take(key(tenant, agent), now);
    },
    countToken(tenant, client) {
      const now = clock();
      const wait = Math.max(minted.client.waitFor(key(tenant, client), now), minted.tenant.waitFor(tenant, now));
      if (wait > 0) return tooMany('Too many tokens were asked for', 'tokens', wait);
      minted.client.take(key(tenant, client), now);
      minted.tenant.take(tenant, now);
      return null;
    },
    countPerson: (tenant, person) => passes(people, key(tenant, person), clock()),
    holdBody(tenant, amount) {
      const fits = bodies.fits(tenant, amount);
      if (fits) bodies.hold(tenant, amount);
      return fits;
    },
    releaseBody: (tenant, amount) => bodies.giveBack(tenant, amount),
    holdAnswer: (tenant, amount) => answers.hold(tenant, amount),
    releaseAnswer: (tenant, amount) => answers.giveBack(tenant, amount),

    async inTurn({ tenant, agent, session }, size, signal, work) {
      const [ofSession, ofAgent] = [key(tenant, session), key(tenant, agent)];
      const short =
        (!flying.session.fits(ofSession, 1) && 'requests of the task') ||
        (!flying.agent.fits(ofAgent, 1) && 'requests of the agent') ||
        (!flying.tenant.fits(tenant, 1) && 'requests of the tenant') ||
        (!bodies.fits(tenant, size) && 'bytes of bodies');
      if (short) return tooMany('Too many requests are under way', `${short} under way`, 1_000);
      flying.session.hold(ofSession, 1);
      flying.agent.hold(ofAgent, 1);
      flying.tenant.hold(tenant, 1);
      bodies.hold(tenant, size);
      crowd.come(tenant);
      let place: Place | null = null;
      try {
        const given = waitForPlace(places, tenant, session, wait_ms, signal);
        place = given instanceof Promise ? await given : given;
        if (place === null) return gaveUp(signal, 'Taskgate is busy with other calls', 'no turn in time');
        // What came in together was let in together: those that waited make no answer more while the others' are not read.
        if (given instanceof Promise && !answers.fits(tenant, 1)) return tooManyUnread();
        const { leave, comeBack } = place;
        const aside: Aside = async (wait) => {
          leave();
          crowd.go(tenant);
          try {
            return await wait();
          } finally {
            crowd.come(tenant);
            await backAt(comeBack);
          }
        };
        return await work(aside, given instanceof Promise);
      } finally {
        place?.leave();
        crowd.go(tenant);
        flying.session.giveBack(ofSession, 1);
        flying.agent.giveBack(ofAgent, 1);
        flying.tenant.giveBack(tenant, 1);
        bodies.giveBack(tenant, size);
      }
    },

    async atUpstream({ name, most, resultBytes }, { tenant, agent, session }, io, work) {
      if (!results.fits(tenant, resultBytes)) return tooMany('Too many large answers are awaited', 'bytes of results under way', 1_000);
      results.hold(tenant, resultBytes);
      // Named with its width: when that changes, the line starts anew.
      const line = `${tenant}/${name}/${most}`;
      const queue = upstreams.get(line) ?? createFairQueue({ all: most, group: () => most, member: Math.ceil(most / 2) });
      upstreams.set(line, queue);
      let place: Place | null = null;
      try {
        const given = waitForPlace(queue, agent, session, wait_ms, io.signal);
        place = given instanceof Promise ? await io.aside(() => given) : given;
        if (place === null) return gaveUp(io.signal, 'The system behind this tool is busy with other calls', `no turn at ${name} in time`);
        return await work();
      } finally {
        place?.leave();
        if (queue.isIdle()) upstreams.delete(line);
        results.giveBack(tenant, resultBytes);
      }
    },

    remembered(now) {
      const buckets: readonly Buckets[] = [...Object.values(asked), ...Object.values(refused), ...Object.values(minted), people];
      const shares: readonly Shares[] = [...Object.values(flying), bodies, results, answers];
      const sizes = [...buckets.map((one) => one.size(now)), ...shares.map((one) => one.size())];
      return sizes.reduce((sum, size) => sum + size, upstreams.size + places.counts().groups);
    },
  };
}

/** Nothing to wait for when a place is free. */
function backAt(comeBack: Place['comeBack']): Promise<void> | null {
  let resolve: () => void = () => undefined;
  // In a turn of the loop of its own, as whoever was not begun.
  if (comeBack(() => setImmediate(resolve))) return null;
  return new Promise((settle) => {
    resolve = settle;
  });
}

/** Reading and checking so much costs about as much as a call: a body larger than this counts as several requests. */
const bytesOfOne = 16_384;

/** Neither part holds a slash. */
const key = (tenant: string, name: string): string => `${tenant}/${name}`;

function passes(buckets: Buckets, name: string, now: number): Refusal | null {
  const wait = buckets.waitFor(name, now);
  if (wait > 0) return tooMany('Too many requests', 'requests', wait);
  buckets.take(name, now);
  return null;
}

function gaveUp(signal: CallSignal | null, message: string, detail: string): Refusal {
  if (signal?.aborted) return refuse('call.cancelled', 'The call was cancelled while it waited for its turn; nothing was sent.');
  return tooMany(message, detail, 1_000);
}

const tooManyUnread = (): Refusal => tooMany('Too many answers wait to be read', 'bytes of answers not read', 1_000);

function tooMany(what: string, detail: string, waitMs: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1_000));
  return refuse('limit.exceeded', `${what}; nothing was done. Wait ${retryAfter} s, then try again, and less often.`, { detail, retryAfter });
}
