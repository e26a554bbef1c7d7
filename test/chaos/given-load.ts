import type { Ended, Session } from './clients.ts';
import type { Lane } from './lane.ts';
import { NotRecovered } from './scenario.ts';

/** The part of the random load in which people give more than one call, or put something in force. */

/** How one client gets to a broker that is there. */
export interface Reach {
  /** Until one answers. */
  insist<T>(work: (url: string) => Promise<T>): Promise<T>;
  /** Null when the broker was lost. */
  once<T>(work: (url: string) => Promise<T>): Promise<T | null>;
}
export interface GivenLoad {
  /** A change that widens, while brokers die and others apply: approved, or rejected now and then. */
  widen(reach: Reach, random: () => number): Promise<void>;
  /** More payments at once than break-glass allows, and its end, sometimes in the middle of them. */
  payUnderGlass(reach: Reach, random: () => number): Promise<void>;
  /** More payments at once than a standing approval allows in a day. */
  payOnStanding(reach: Reach): Promise<void>;
}

const rejectedShare = 0.2;
const endedMidwayShare = 0.4;
const reviewedShare = 0.8;
const atOnce = 3;

export function loadOnGiven({ clients, newCall, newWidth }: Lane): GivenLoad {
  /** One at a time: each is to be wider than the last. */
  let widening = false;

  const pay = (session: Session, url: string): Promise<Ended> => clients.call(url, session, 'pay', newCall(), 5, 'another call');
  const payAtOnce = ({ once }: Reach, session: Session): Promise<unknown>[] => Array.from({ length: atOnce }, () => once((url) => pay(session, url)));

  async function decideWidth({ insist }: Reach, random: () => number): Promise<void> {
    const width = newWidth();
    const change = await insist((url) => clients.askChange(url, width));
    const isRejected = random() < rejectedShare;
    const said = await insist((url) => (isRejected ? clients.rejectChange(url, change) : clients.approveChange(url, change)));
    if (said !== 200) throw new NotRecovered(`width ${width} was ${isRejected ? 'rejected' : 'approved'} and came to ${said}`);
  }

  return {
    async widen(reach, random) {
      if (widening) return;
      widening = true;
      try {
        await decideWidth(reach, random);
      } finally {
        widening = false;
      }
    },
    async payUnderGlass(reach, random) {
      const { insist } = reach;
      const session = await insist((url) => clients.open(url, 'work'));
      const glass = await insist((url) => clients.askGlass(url, session.id));
      await insist((url) => clients.confirmGlass(url, glass));
      const paying = Promise.all(payAtOnce(reach, session));
      if (random() >= endedMidwayShare) await paying;
      await Promise.all([paying, insist((url) => clients.endGlass(url, glass))]);
      const after = await insist((url) => pay(session, url));
      if (after.kind !== 'turned away') throw new NotRecovered(`a call after the end of its break-glass came to ${after.kind}`);
      if (random() < reviewedShare) await insist((url) => clients.reviewGlass(url, glass));
    },
    async payOnStanding(reach) {
      const { insist } = reach;
      const session = await insist((url) => clients.open(url, 'steady'));
      const standing = await insist((url) => clients.proposeStanding(url));
      for (const person of ['bob', 'carl'] as const) {
        const status = await insist((url) => clients.voteStanding(url, person, standing));
        if (status !== 200) throw new NotRecovered(`${person} could not give ${standing}: ${status}`);
      }
      await Promise.all(payAtOnce(reach, session));
      const status = await insist((url) => clients.revokeStanding(url, standing));
      if (status !== 200) throw new NotRecovered(`${standing} could not be taken back: ${status}`);
      await insist((url) => clients.end(url, session));
    },
  };
}
