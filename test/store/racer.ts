import { openSqliteStore, openStore, StoreUnavailable } from '../../server/store/index.ts';
import { body, claimRequest, newVote, start } from '../contract/samples.ts';

/** A process of its own on the same file or database: told what to do by its parent, tells what it won. */

const [place = '', name = ''] = process.argv.slice(2);
const clock = () => start;
const store = await (place.startsWith('postgres:') ? openStore(place, clock) : openSqliteStore({ path: place, clock }));

const jobs: Record<string, (count: number) => Promise<unknown>> = {
  /** Votes on and claims approvals `apr_0 …` that two processes race for; answers which it won. */
  async race(count) {
    const won = { votes: 0, claims: 0 };
    for (let i = 0; i < count; i++) {
      const approval = `apr_${i}`;
      const vote = await store.castVote(newVote(name, { approval, requirement: 'approval:finance' }));
      if (vote.voted) won.votes += 1;
      const { answer, durable } = await store.claim(claimRequest({ approval: { id: approval, digest: 'p'.repeat(64) }, dispatch: `dsp_${name}_${i}` }));
      await durable;
      if (answer.claimed) won.claims += 1;
    }
    return won;
  },
  /** Appends for ever, telling each index only once it is durable. */
  async flood() {
    for (;;) process.send?.({ durable: (await store.append('acme', [body('call.refused', { actor: name })]))[0] });
  },
  /** Appends until the file takes no more; then waits to be told to go on. */
  async fill() {
    for (;;) {
      try {
        await Promise.all(Array.from({ length: 50 }, () => store.append('acme', [body('call.refused', { detail: 'x'.repeat(1500) })])));
      } catch (error) {
        return { unavailable: error instanceof StoreUnavailable, message: String(error) };
      }
    }
  },
  async append() {
    return store.append('acme', [body('call.refused')]).catch((error: unknown) => ({ unavailable: error instanceof StoreUnavailable }));
  },
};

process.on('message', async ({ job, count }: { job: string; count: number }) => {
  process.send?.({ done: await jobs[job]?.(count) });
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
