import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { runAlone, runInTurn } from '../../server/store/postgres/in-turn.ts';
import { createLink, type Link } from '../../server/store/postgres/link.ts';
import { loadDriver } from '../../server/store/postgres/pool.ts';
import { all, one, run, signal, together, Undo, type Verb } from '../../server/store/verb.ts';
import { describeOnPostgres } from './postgres-bench.ts';

/** What a verb does in one of its steps, and how it ends. */
const step = fc.constantFrom('read', 'write', 'both', 'tell', 'break' as const);
const plan = fc.record({ steps: fc.array(step, { maxLength: 4 }), end: fc.constantFrom('answer', 'undo', 'throw' as const) });
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

/** Whatever it reads it answers, and whatever it writes says what it had read: one that saw too little or too much shows. */
const verbOf =
  ({ steps, end }: Plan, name: number) =>
  (): Verb<unknown> =>
    (function* () {
      const seen: unknown[] = [];
      const read = () => all<{ by: number; saw: string }>('SELECT "by", saw FROM wrote ORDER BY position');
      const write = () => run('INSERT INTO wrote ("by", saw) VALUES (?, ?)', name, JSON.stringify(seen).slice(-40));
      for (const one of steps) {
        if (one === 'read') seen.push(yield* read());
        else if (one === 'write') seen.push(yield* write());
        else if (one === 'both') seen.push(yield* together(read(), write()));
        else if (one === 'tell') yield* signal('session', 'acme', `${name}`);
        else seen.push(yield* run('INSERT INTO wrote ("by", saw) VALUES (NULL, NULL)'));
      }
      if (end === 'undo') throw new Undo(seen);
      if (end === 'throw') throw new Error(`verb ${name} broke`);
      return seen;
    })();

await describeOnPostgres((database) => {
  const connect = async () => {
    const client = await (await loadDriver(database.url)).openClient();
    onTestFinished(() => client.end());
    return client;
  };

  it('verbs that share a transaction each answer, leave and tell what they would alone, in any order and however they end', async () => {
    const client = await connect();
    await client.query('CREATE TEMPORARY TABLE wrote (position SERIAL, "by" INTEGER NOT NULL, saw TEXT NOT NULL)');
    const link = createLink(client, 'here');
    const afresh = async (): Promise<void> => void (await client.query('TRUNCATE wrote RESTART IDENTITY'));
    const ends = (ended: Awaited<ReturnType<typeof runInTurn>>) =>
      ended.map(({ outcome, changes }) => [
        'error' in outcome ? String(outcome.error).slice(0, 60) : outcome.answer,
        // A signal goes out with its transaction; a verb that is taken back tells nothing.
        changes,
      ]);
    const rows = async () => (await client.query('SELECT "by", saw FROM wrote ORDER BY position')).rows;

    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 2, maxLength: 7 }), async (plans) => {
        const verbs = plans.map(verbOf);
        await afresh();
        const alone = [];
        for (const verb of verbs) {
          await link.ask([{ want: 'run', text: 'BEGIN', values: [] }]);
          const ended = await runAlone(link, verb);
          await link.finish(ended.takenBack ? 'ROLLBACK' : 'COMMIT');
          alone.push(ended);
        }
        const left = await rows();
        await afresh();
        link.tell('BEGIN');
        const together = await runInTurn(link, verbs);
        await link.finish('COMMIT');
        expect(ends(together)).toEqual(ends(alone));
        expect(await rows()).toEqual(left);
      }),
      { numRuns: 150 },
    );
  });

  it('verbs of two steps each need one exchange apiece, and one more', async () => {
    const client = await connect();
    const link = createLink(client, 'here');
    let exchanges = 0;
    const counted: Link = {
      ...link,
      ask(statements) {
        exchanges++;
        return link.ask(statements);
      },
    };
    const twice = (): Verb<unknown> =>
      (function* () {
        yield* one('SELECT 1 AS n');
        return yield* one('SELECT 2 AS n');
      })();
    link.tell('BEGIN');
    const ended = await runInTurn(
      counted,
      Array.from({ length: 9 }, () => twice),
    );
    await link.finish('COMMIT');
    expect(ended.map(({ outcome }) => outcome)).toEqual(Array(9).fill({ answer: { n: 2 } }));
    expect(exchanges).toBe(10);
  });
});
