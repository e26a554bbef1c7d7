import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerEnd } from './answer-end.ts';
import { withTables } from './document.ts';
import { goalsOf } from './goals.ts';
import { type RowName, readOptions } from './options.ts';
import { drawPlot } from './plot.ts';
import { type Findings, type Report, ratiosOf, reportOf } from './report.ts';
import type { RowFigures } from './scenes/rows.ts';
import { median, percentile, spread } from './statistics.ts';
import { drawMarkdown, drawText, figure } from './tables.ts';
import type { Measured } from './wire.ts';

const measured = (scale: number): Measured => ({ p50: 100 * scale, p95: 200 * scale, p99: 400 * scale, rate: 10_000 / scale, clientCpu: 20 });

/** A row whose rounds were slowed by `slowdowns`, on top of its own cost. */
function row(name: RowName, cost: number, slowdowns: readonly number[], cpu = 100, after = 150): RowFigures {
  const rounds = slowdowns.map((slow) => ({ alone: measured(cost * slow), together: measured(cost * slow) }));
  return { name, alone: measured(cost), together: measured(cost), rounds, soak: { calls: 1, rate: 1, cpu, rss: { before: 90, after } } };
}

const nothing: Findings = { rows: [], start_ms: null, lists: null, decisions: null, approval: null, replicas: null, abort: null, skipped: [], failed: [] };
const reportWith = (findings: Partial<Findings>, cores = 8): Report =>
  reportOf(
    { ...nothing, ...findings },
    { date: '2026-01-01', cores, processor: 'a processor', node: '24.0.0', load_before: 0.1, load_after: 1, seconds: 60, quick: true },
  );
const both = (cost: number): readonly RowFigures[] => [row('proxy', 1, [1, 1, 1]), row('taskgate-sqlite', cost, [1, 1, 1])];

describe('percentiles', () => {
  it('are by nearest rank: a value that was measured, never one in between', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0.5, 0.95, 0.99, 1].map((q) => percentile(hundred, q))).toEqual([50, 95, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });

  it('never cross each other, and are not moved by the order of the values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 }), (values) => {
        const { p50, p95, p99 } = spread(values);
        expect(p50 <= p95 && p95 <= p99 && values.includes(p99)).toBe(true);
        expect(spread(values.toReversed())).toEqual({ p50, p95, p99 });
      }),
    );
  });

  it('the median of an even number lies between the middle two', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([5])]).toEqual([2, 2.5, 5]);
  });
});

describe('ratios', () => {
  it('are taken within a round, so that a round slowed as a whole does not count', () => {
    const [floor, own] = [row('proxy', 1, [1, 9, 2]), row('taskgate-sqlite', 4, [1, 9, 2])];
    expect(ratiosOf(own, floor)).toEqual({ p50_c1: 4, p99_c32: 4, throughput: 0.25 });
  });

  it('a round that the proxy has not is an error, not a guess', () => {
    expect(() => ratiosOf(row('taskgate-sqlite', 1, [1, 1]), row('proxy', 1, [1]))).toThrow(/a round/);
  });

  it('there are none without the proxy', () => {
    const report = reportWith({ rows: [row('taskgate-sqlite', 1, [1])] });
    expect([report.ratios, drawPlot(report)]).toEqual([null, null]);
  });
});

describe('goals', () => {
  const byName = (report: Report, name: RegExp) => goalsOf(report).find((goal) => name.test(goal.name));

  it('are met at the limit and not beyond it', () => {
    expect(byName(reportWith({ rows: both(2) }), /p50/)?.met).toBe(true);
    expect(byName(reportWith({ rows: both(2.01) }), /p50/)?.met).toBe(false);
    expect(byName(reportWith({ rows: both(2) }), /calls\/s/)?.met).toBe(false);
    expect(byName(reportWith({ lists: [{ tools: 100, first: 1, p50: 1, p99: 50_001 }] }), /100 tools/)).toMatchObject({ met: false, value: 50.001 });
  });

  it('what was not measured is neither met nor missed', () => {
    expect(goalsOf(reportWith({})).every(({ met, value }) => met === null && value === null)).toBe(true);
  });

  it('two replicas are only reported on too few cores', () => {
    const replicas = { one: 100, two: 110, ratio: 1.1 };
    expect(byName(reportWith({ replicas }, 2), /replicas/)).toMatchObject({ met: null, value: 1.1 });
    expect(byName(reportWith({ replicas }, 4), /replicas/)?.met).toBe(false);
  });
});

describe('what is written', () => {
  it('the picture shows every row and its ratios, in both colour schemes', () => {
    const svg = drawPlot(reportWith({ rows: both(3) })) ?? '';
    for (const part of ['>proxy<', '>taskgate-sqlite<', '>3×<', '>0.33×<', 'prefers-color-scheme: dark']) expect(svg).toContain(part);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('tables go between the markers of a page and leave the rest as it was', () => {
    const report = reportWith({ rows: both(3) });
    const page = 'before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n';
    const once = withTables(page, report);
    expect(once).toMatch(/^before\n[\s\S]*taskgate-sqlite[\s\S]*\nafter\n$/);
    expect(once).not.toContain('old');
    expect(withTables(once, report)).toBe(once);
    expect(() => withTables('no place', report)).toThrow(/no place/);
  });

  it('the page of the documentation has the place', () => {
    expect(() => withTables(readFileSync(join(import.meta.dirname, '../../docs/performance.md'), 'utf8'), reportWith({}))).not.toThrow();
  });

  it('tables are aligned, and figures keep two or three digits', () => {
    const table = {
      head: ['name', 'n'],
      rows: [
        ['a', '1'],
        ['long', '22'],
      ],
    };
    expect(drawText(table)).toBe('name   n\n----  --\na      1\nlong  22');
    expect(drawMarkdown(table)).toBe('| name | n |\n| --- | ---: |\n| a | 1 |\n| long | 22 |');
    expect([0.1234, 3.456, 34.56, 1234.5, null].map(figure)).toEqual(['0.12', '3.5', '34.6', '1,235', '–']);
  });
});

describe('the client', () => {
  it('knows where an answer ends, however it arrives', () => {
    const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    for (const whole of [plain, chunked]) {
      for (let cut = 0; cut < whole.length; cut++) expect(answerEnd(Buffer.from(whole.slice(0, cut)))).toBeNull();
      expect(answerEnd(Buffer.from(whole))).toBe(whole.length);
    }
    expect(() => answerEnd(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow(/length/);
  });
});

describe('options', () => {
  it('a name that --only does not know is refused, with the names it knows', () => {
    expect(() => readOptions(['--only', 'proxy,nothing'])).toThrow(/does not know nothing; it knows direct, proxy/);
    expect(readOptions(['--help'])).toBe('help');
  });
});
