import { describe, expect, it } from 'vitest';
import type { Store } from '../../server/store/index.ts';
import { approve, body, hour, open, settlement, start, take, typesOf } from './samples.ts';
import type { Bench } from './store.contract.ts';

export function taskRules(bench: Bench): void {
  describe('a dispatch that is asked for as a task', () => {
    const sealed = new Uint8Array([7]);
    const begin = async (store: Store, dispatch: string, session = 'ses_1') => {
      const answer = await take(store, { dispatch, session });
      if (!answer.claimed) throw new Error(answer.why);
      return { dispatch, session, fence: answer.fence };
    };
    const cancel = (store: Store, id: string, session = 'ses_1') =>
      store.cancelDispatch('acme', session, id, start + 3, body('call.cancelled', { tenant: 'acme', session, dispatch: id }));

    it('keeps its outcome when that was asked for while it ran, until then and no longer', async () => {
      const { store } = bench;
      await open(store);
      const [kept, plain] = [await begin(store, 'dsp_kept'), await begin(store, 'dsp_plain')];
      expect(await store.keepDispatch('acme', 'ses_1', 'dsp_kept', start + hour)).toBe(true);
      expect(await store.readDispatch('acme', 'dsp_kept')).toMatchObject({
        session: 'ses_1',
        status: 'dispatched',
        keptUntil: start + hour,
        sealedOutcome: null,
      });
      for (const one of [kept, plain]) await store.settle(settlement({ ...one, taskOutcome: sealed }));
      expect(await store.readDispatch('acme', 'dsp_kept')).toMatchObject({ status: 'completed', sealedOutcome: sealed, cancelledAt: null });
      expect(await store.readDispatch('acme', 'dsp_plain')).toMatchObject({ status: 'completed', keptUntil: null, sealedOutcome: null });
      expect(await store.keepDispatch('acme', 'ses_1', 'dsp_plain', start + hour)).toBe(false);
      expect((await store.listTasks('acme', 'ses_1', start + 10, 10)).map(({ id }) => id)).toEqual(['dsp_kept']);
      expect(await store.listTasks('acme', 'ses_1', start + hour, 10)).toEqual([]);
      await store.sweep(start + hour);
      expect(await store.readDispatch('acme', 'dsp_kept')).toMatchObject({ keptUntil: null, sealedOutcome: null });
    });

    it('is cancelled once, only while it runs and from its own session, and its outcome is then kept from everybody', async () => {
      const { store } = bench;
      await open(store);
      await open(store, { id: 'ses_2' });
      const one = await begin(store, 'dsp_one');
      await store.keepDispatch('acme', 'ses_1', 'dsp_one', start + hour);
      expect(await cancel(store, 'dsp_one', 'ses_2')).toBe(false);
      expect(await Promise.all([cancel(store, 'dsp_one'), cancel(store, 'dsp_one')]).then((both) => both.filter(Boolean))).toHaveLength(1);
      await store.settle(settlement({ ...one, taskOutcome: sealed }));
      expect(await store.readDispatch('acme', 'dsp_one')).toMatchObject({ status: 'completed', cancelledAt: start + 3, sealedOutcome: null });
      expect(await cancel(store, 'dsp_one')).toBe(false);
      expect((await typesOf(store, 'acme')).filter((type) => type === 'call.cancelled')).toHaveLength(1);
    });

    it('keeps nothing of what may not be released, and is in its tenant alone', async () => {
      const { store } = bench;
      await open(store);
      const one = await begin(store, 'dsp_one');
      await store.keepDispatch('acme', 'ses_1', 'dsp_one', start + hour);
      const restricted = { sensitivity: 'restricted', categories: [], integrity: 'trusted' } as const;
      await store.settle(settlement({ ...one, label: restricted, taskOutcome: sealed }));
      expect(await store.readDispatch('acme', 'dsp_one')).toMatchObject({ sealedOutcome: null });
      expect(await store.readDispatch('globex', 'dsp_one')).toBeNull();
      expect(await store.keepDispatch('globex', 'ses_1', 'dsp_one', start + hour)).toBe(false);
    });

    it('tells whoever listens that it was cancelled, and that it has ended', async () => {
      const { store } = bench;
      await open(store);
      const told: unknown[] = [];
      const stop = store.subscribe((signal) => signal.kind === 'call' && told.push(signal.id));
      const one = await begin(store, 'dsp_one');
      await cancel(store, 'dsp_one');
      await store.settle(settlement({ ...one, taskOutcome: sealed }));
      stop();
      expect(told).toEqual(['dsp_one', 'dsp_one']);
    });
  });

  describe('an approval that was taken', () => {
    it('says how its call had waited, and nothing where that was not told', async () => {
      const { store } = bench;
      await open(store);
      const [one, other] = [await approve(store), await approve(store, { id: 'apr_2', callKey: 'other' })];
      await take(store, { approval: one, rung: 'task' });
      await take(store, { approval: other });
      expect(await store.readApproval('acme', 'apr_1')).toMatchObject({ status: 'used', rung: 'task' });
      expect(await store.readApproval('acme', 'apr_2')).toMatchObject({ status: 'used', rung: null });
    });
  });
}
