import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createAnswers } from '../../server/store/sqlite/answers.ts';
import { createMemory, type Memory, unknown } from '../../server/store/sqlite/memory.ts';
import { migrate } from '../../server/store/sqlite/migrations.ts';
import { type Ask, asking, createSql, perform, type Sql } from '../../server/store/sqlite/sql.ts';
import { all, ask, one, type Query, remembered, run, type Verb } from '../../server/store/verb.ts';
import { draw, readUsed } from '../../server/store/verbs/counters.ts';
import { readLineage, startLineage } from '../../server/store/verbs/lineages.ts';
import { appendRecord } from '../../server/store/verbs/records.ts';
import { body } from '../contract/samples.ts';

/** One thing a verb does; each answers something. */
type Step =
  | { readonly does: 'draw'; readonly scope: string; readonly amount: number; readonly limit: number }
  | { readonly does: 'read' | 'sweep'; readonly scope: string }
  | { readonly does: 'sum' | 'append' | 'look at label' | 'write label' | 'count labels' };

type Move =
  | { readonly move: 'verb'; readonly steps: readonly Step[]; readonly fails: boolean }
  | { readonly move: 'commit' }
  | { readonly move: 'another process'; readonly step: Step }
  | { readonly move: 'look'; readonly scope: string };

const lineage = 'lin_1';
const labelText = 'SELECT sensitivity, version FROM lineages WHERE tenant = ? AND id = ?';

function* take(tenant: string, step: Step): Verb<unknown> {
  switch (step.does) {
    case 'draw':
      return yield* ask(draw(tenant, { scope: step.scope, key: 'calls', amount: step.amount, limit: step.limit }));
    case 'read':
      return yield* readUsed(tenant, step.scope, 'calls');
    case 'sweep':
      return yield* run('DELETE FROM counters WHERE tenant = ? AND scope = ?', tenant, step.scope);
    case 'sum':
      return yield* all('SELECT scope, used FROM counters WHERE tenant = ? ORDER BY scope', tenant);
    case 'append':
      return yield* appendRecord(tenant, body('call.refused'));
    case 'look at label':
      return yield* remembered(labelText, tenant, lineage);
    case 'write label':
      return yield* run('UPDATE lineages SET version = version + 1 WHERE tenant = ? AND id = ?', tenant, lineage);
    case 'count labels':
      return yield* one('SELECT count(*) AS many, max(version) AS version FROM lineages WHERE tenant = ?', tenant);
  }
}

const scope = fc.constantFrom('session/a', 'session/b');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('draw' as const), scope, amount: fc.nat(3), limit: fc.nat(9) }),
  fc.record({ does: fc.constantFrom('read' as const, 'sweep' as const), scope }),
  fc.record({ does: fc.constantFrom('sum' as const, 'append' as const, 'look at label' as const, 'write label' as const, 'count labels' as const) }),
);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ move: fc.constant('verb' as const), steps: fc.array(step, { maxLength: 5 }), fails: fc.boolean() }) },
  fc.record({ move: fc.constant('commit' as const) }),
  fc.record({ move: fc.constant('another process' as const), step }),
  { weight: 2, arbitrary: fc.record({ move: fc.constant('look' as const), scope }) },
);

/** A file with its schema, and a second connection to it that stands for another process. */
function openFile(folder: string, name: string) {
  const path = join(folder, name);
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  migrate(database);
  const other = new DatabaseSync(path);
  const sql = createSql(database);
  onTestFinished(() => {
    database.close();
    other.close();
  });
  return { sql, other: createSql(other) };
}

interface Writer {
  readonly sql: Sql;
  readonly ask: Ask;
  readonly memory: Memory | null;
}

/** Plays moves on a writer as the store does, and answers all that it was told on the way. */
function play({ sql, ask, memory }: Writer, other: Sql, tenant: string, moves: readonly Move[]): unknown[] {
  const told: unknown[] = [];
  let open = false;
  const begin = (): void => {
    if (open) return;
    sql.run('BEGIN IMMEDIATE');
    memory?.refresh();
    open = true;
  };
  const commit = (): void => {
    if (!open) return;
    memory?.writeBack();
    sql.run('COMMIT');
    memory?.committed();
    open = false;
  };
  for (const one of [...moves, { move: 'commit' } as const]) {
    switch (one.move) {
      case 'verb':
        begin();
        sql.run('SAVEPOINT verb');
        memory?.begin();
        for (const each of one.steps) told.push(perform(ask, take(tenant, each)));
        if (one.fails) sql.run('ROLLBACK TO verb');
        if (one.fails) memory?.takeBack();
        sql.run('RELEASE verb');
        break;
      case 'commit':
        commit();
        break;
      case 'another process':
        commit();
        told.push(perform(asking(other), take(tenant, one.step)));
        break;
      case 'look': {
        // Who looks sees what is committed: the other connection says what that is.
        const committed = [perform(asking(other), readUsed(tenant, one.scope, 'calls')), other.one(labelText, tenant, lineage)];
        told.push(committed);
        if (!memory || !open) break;
        const seen = [
          memory.look({ want: 'one', text: '', values: [], kept: { table: 'counters', key: [tenant, one.scope, 'calls'] } }, true),
          memory.look({ want: 'one', text: labelText, values: [tenant, lineage], remember: true }, true),
        ];
        const [used, label] = seen;
        if (used !== unknown) expect((used as { used: number } | undefined)?.used ?? 0).toBe(committed[0]);
        if (label !== unknown) expect(label).toEqual(committed[1]);
      }
    }
  }
  const dump = ['counters', 'chain_heads', 'records', 'lineages'].map((table) => other.all(`SELECT * FROM ${table} WHERE tenant = ? ORDER BY 1, 2, 3`, tenant));
  return [...told, dump, perform(asking(other), readLineage(tenant, lineage))];
}

test('what a writer knows by heart is what its file would have answered, whatever was taken back or done by another process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'taskgate-memory-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [plain, knowing] = [openFile(folder, 'plain.db'), openFile(folder, 'knowing.db')];
  const memory = createMemory(knowing.sql);
  let runs = 0;
  fc.assert(
    fc.property(fc.array(move, { maxLength: 25 }), (moves) => {
      const tenant = `tenant-${++runs}`;
      for (const { other } of [plain, knowing]) perform(asking(other), startLineage(tenant, lineage));
      const expected = play({ sql: plain.sql, ask: asking(plain.sql), memory: null }, plain.other, tenant, moves);
      expect(play({ sql: knowing.sql, ask: memory.answer, memory }, knowing.other, tenant, moves)).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

test('what is remembered never weighs more than it may: the oldest answers make room, and one that alone is too heavy is not kept', () => {
  const ids = Array.from({ length: 20 }, (_, id) => id);
  const queryOf = (id: number): Query => ({ want: 'one', text: 'SELECT text', values: [id] });
  const row = fc.record({ id: fc.constantFrom(...ids), text: fc.string({ maxLength: 300 }) });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      const answers = createAnswers(1_000);
      const weights = (): number[] =>
        ids.flatMap((id) => (answers.recall(queryOf(id)) as { text: string } | undefined) ?? []).map(({ text }) => text.length + 64);
      for (const { id, text } of rows) {
        if (answers.recall(queryOf(id)) !== undefined) continue;
        answers.keep(queryOf(id), { text });
        expect(answers.recall(queryOf(id))).toEqual({ text });
        expect(weights().reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1_000);
      }
      answers.keep(queryOf(99), { text: 'x'.repeat(2_000) });
      expect(answers.recall(queryOf(99))).toBe(undefined);
    }),
  );
});
