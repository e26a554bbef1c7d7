import { describe, expect, it } from 'vitest';
import type { Signal, Store } from '../../server/store/index.ts';
import { newChange } from './changes.contract.ts';
import { applyTenant, approve, ask, body, claimRequest, hour, newVote, open, settlement, start, take } from './samples.ts';
import type { Bench } from './store.contract.ts';

/** Everything told to one listener, as text. */
function listen(store: Store): { told: string[]; stop(): void } {
  const told: string[] = [];
  const stop = store.subscribe((signal) => void told.push(nameOf(signal)));
  return { told, stop };
}
const nameOf = (signal: Signal): string => (signal.kind === 'resync' ? 'resync' : `${signal.kind} ${signal.tenant} ${signal.id}`);
const changes = (told: readonly string[]): string[] => told.filter((one) => one !== 'resync');

export function signalRules(bench: Bench): void {
  describe('what it tells', () => {
    it('is each change of a session, an agent, an approval or a configuration, at once', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'ses_2', parent: 'ses_1' });
      const { told, stop } = listen(store);
      const toldBy = async (work: Promise<unknown>): Promise<string[]> => {
        const before = told.length;
        await work;
        return changes(told.slice(before)).sort();
      };
      expect(await toldBy(ask(store))).toEqual(['approval acme apr_1']);
      expect(await toldBy(store.castVote(newVote('bob')))).toEqual(['approval acme apr_1']);
      expect(await toldBy(store.castVote(newVote('carl')))).toEqual(['approval acme apr_1']);
      const claimed = take(store, { approval: { id: 'apr_1', digest: 'p'.repeat(64) }, dispatch: 'dsp_a' });
      expect(await toldBy(claimed)).toEqual(['approval acme apr_1']);
      const { fence } = (await claimed) as { fence: number };
      expect(await toldBy(store.settle(settlement({ dispatch: 'dsp_a', fence })))).toEqual(['approval acme apr_1']);
      expect(await toldBy(ask(store, { id: 'apr_2', callKey: 'two' }))).toEqual(['approval acme apr_2']);
      expect(await toldBy(store.closeApproval('acme', 'apr_2', 'cancelled', start, body('approval.cancelled')))).toEqual(['approval acme apr_2']);
      expect(await toldBy(ask(store, { id: 'apr_3', callKey: 'three', session: 'ses_2' }))).toEqual(['approval acme apr_3']);
      expect(await toldBy(store.setAgentStatus('acme', 'helper', 'suspended', body('agent.suspended')))).toEqual(['agent acme helper']);
      expect(await toldBy(store.requestChange(newChange()))).toEqual(['change acme chg_1']);
      const how = { status: 'ended', reason: 'done' } as const;
      expect(await toldBy(store.endSession('acme', 'ses_1', how, start + 1, body('session.ended')))).toEqual([
        'approval acme apr_3',
        'session acme ses_1',
        'session acme ses_2',
      ]);
      expect(await toldBy(applyTenant(store, 'acme', 1))).toEqual(['configuration acme 2']);
      stop();
      expect(await toldBy(applyTenant(store, 'acme', 2))).toEqual([]);
    });

    it('is what the sweep ends, too', async () => {
      const { store } = bench;
      await open(store);
      await ask(store);
      const { told } = listen(store);
      await store.sweep(start + 2 * hour);
      expect(changes(told).sort()).toEqual(['approval acme apr_1', 'session acme ses_1']);
    });

    it('is never what was refused or taken back', async () => {
      const { store } = bench;
      await open(store);
      const { id, digest } = await approve(store);
      const { told } = listen(store);
      const draws = [{ scope: 'session/ses_1', key: 'calls', amount: 2, limit: 1 }];
      const [refused] = await Promise.all([take(store, { approval: { id, digest }, draws }), store.append('acme', [body('call.refused')])]);
      expect(refused).toMatchObject({ claimed: false, why: 'budget' });
      expect(await store.closeApproval('acme', 'apr_none', 'cancelled', start, body('approval.cancelled'))).toBe(false);
      const broken = store.claim(claimRequest({ approval: { id, digest }, record: body('call.dispatched', { nonsense: 1 } as never) }));
      await expect(broken.then(({ durable }) => durable)).rejects.toThrow();
      expect(changes(told)).toEqual([]);
    });

    it('reaches every process that waits: the change itself, or that something changed', async () => {
      const { store } = bench;
      await open(store);
      const another = await bench.another();
      const heard = Promise.withResolvers<string>();
      let ended = false;
      another.subscribe((signal) => {
        if (ended) heard.resolve(nameOf(signal));
      });
      // Reading shows that the other is there; what it is told before the end does not count.
      expect((await another.readSession('acme', 'ses_1'))?.session.status).toBe('active');
      const ending = store.endSession('acme', 'ses_1', { status: 'ended', reason: 'done' }, start + 1, body('session.ended'));
      ended = true;
      await ending;
      expect(await heard.promise).toMatch(/^(session acme ses_1|resync)$/);
    });
  });
}
