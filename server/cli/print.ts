import process from 'node:process';
import { styleText } from 'node:util';

/** What people see: small tables, colours only on a terminal (NO_COLOR is respected by `styleText`). */

type Style = Parameters<typeof styleText>[0];
export const paint = (style: Style, text: string): string =>
  style === 'reset' ? text : styleText(style, text, { stream: process.stdout, validateStream: true });

/**
 * Terminal escapes, bidi and other control characters become visible: what is shown came from agents and upstreams, and
 * must not be able to repaint a reviewer's terminal.
 */
export function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => (sign === '\n' ? ' ' : `\\u${sign.codePointAt(0)?.toString(16).padStart(4, '0')}`));
}

/** A cell that stands out on a terminal. */
export interface Painted {
  readonly style: Style;
  readonly text: string;
}

/** A table with a header line; columns as wide as their widest cell, nothing cut. */
export function table(columns: readonly string[], rows: readonly (readonly (Painted | string | number | null | undefined)[])[]): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => row.map(asPainted));
  const widths = columns.map((column, index) => Math.max(column.length, ...cells.map((row) => width(row[index]?.text ?? ''))));
  const line = (row: readonly Painted[]): string =>
    row
      .map(({ style, text }, index) => paint(style, text) + ' '.repeat((widths[index] ?? 0) - width(text)))
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => ({ style: 'dim', text: column.toUpperCase() }))), ...cells.map(line)].join('\n');
}

function asPainted(cell: Painted | string | number | null | undefined): Painted {
  if (typeof cell === 'object' && cell !== null) return { style: cell.style, text: plain(cell.text) };
  return { style: 'reset', text: plain(typeof cell === 'number' ? String(cell) : cell) };
}

/** `name  value` lines, names aligned. */
export function fields(entries: readonly (readonly [string, unknown])[]): string {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const wide = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${paint('dim', name.padEnd(wide))}  ${plain(value)}`).join('\n');
}

/** A moment as people read it, from whole epoch seconds. */
export const moment = (seconds: unknown): string => (typeof seconds === 'number' ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : '');

export function write(text: string): void {
  if (text !== '') process.stdout.write(`${text}\n`);
}

const width = (text: string): number => [...text].length;
