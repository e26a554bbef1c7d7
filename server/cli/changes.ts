import process from 'node:process';
import { z } from 'zod';
import { exits } from '../connect/index.ts';
import { fields, moment, paint, plain } from './print.ts';

/** What the CLI reads of a change that waits for a second admin. */
const changeItem = z.looseObject({
  tenant: z.string(),
  kind: z.string(),
  name: z.string(),
  change: z.string(),
  effect: z.string(),
  differences: z.array(z.string()),
});
export const change = z.looseObject({
  id: z.string(),
  status: z.string(),
  digest: z.string(),
  author: z.string(),
  reason: z.string().nullable(),
  needs: z.string(),
  items: z.array(changeItem),
  revision: z.int(),
  created_at: z.int(),
  expires_at: z.int(),
  decided_at: z.int().nullable(),
  decided_by: z.string().nullable(),
  decision_reason: z.string().nullable(),
});
const changedText = z.looseObject({ of: z.string(), lines: z.array(z.looseObject({ sign: z.string(), text: z.string() })) });
export const changeDetail = change.extend({ texts: z.array(changedText), stale: z.boolean(), approvers: z.array(z.string()), remedy: z.string().nullable() });
export type ChangeDetail = z.infer<typeof changeDetail>;

const signs: Readonly<Record<string, string>> = { added: '+', changed: '~', removed: '-' };

/** One line an item, its differences below. */
export function itemLines(items: readonly (z.infer<typeof changeItem> & { readonly waits?: boolean | undefined })[]): string[] {
  return items.flatMap((one) => {
    const effect = one.effect === 'neutral' ? '' : ` ${paint(one.effect === 'widens' ? 'yellow' : 'green', one.effect)}`;
    const waits = one.waits === true ? `, ${paint('yellow', 'waits')}` : '';
    const head = `${signs[one.change] ?? '?'} ${plain(`${one.tenant} ${one.kind} ${one.name}`)}${effect}${waits}`;
    return [head, ...one.differences.map((difference) => `    ${plain(difference)}`)];
  });
}

/** Says what waits and how it is approved; the process then ends with 5, pending. */
export function tellWaiting(waiting: readonly ChangeDetail[]): string {
  if (waiting.length > 0) process.exitCode = exits.pending;
  return waiting.map((one) => `${paint('yellow', 'Waits')} as ${one.id} until ${moment(one.expires_at)}. ${howApproved(one)}`).join('\n');
}

function howApproved({ id, approvers, remedy }: ChangeDetail): string {
  if (approvers.length === 0) return plain(remedy ?? '');
  return `${plain(approvers.join(' or '))} may approve it:\n  npx taskgate change show ${id}`;
}

export function describeChange(shown: ChangeDetail): string {
  const stale = shown.stale ? ['', 'The configuration has moved on since: approving plans it anew first, under a new digest.'] : [];
  const approve = `npx taskgate change approve ${shown.id} --digest ${shown.digest.slice(0, 16)}`;
  return [
    fields([
      ['change', shown.id],
      ['status', `${shown.status}${shown.status === 'pending' ? `, until ${moment(shown.expires_at)}` : ''}`],
      ['author', shown.author],
      ['reason', shown.reason],
      ['decided', shown.decided_by === null ? null : `${moment(shown.decided_at)} by ${shown.decided_by}`],
      ['said', shown.decision_reason],
      ['needs', shown.needs === 'operator' ? 'another operator' : 'another admin'],
      ['may approve', shown.status === 'pending' ? shown.approvers.join(', ') || 'nobody' : null],
      ['laid over', `revision ${shown.revision}`],
      ['digest', shown.digest],
    ]),
    '',
    ...itemLines(shown.items),
    ...shown.texts.flatMap(textLines),
    ...stale,
    ...(shown.remedy === null ? [] : ['', plain(shown.remedy)]),
    ...(shown.status === 'pending' ? ['', `Approve exactly this:\n  ${approve}`] : []),
  ].join('\n');
}

function textLines({ of, lines }: z.infer<typeof changedText>): string[] {
  const painted = lines.map(({ sign, text }) => {
    const line = `${sign} ${plain(text)}`;
    return `    ${sign === '+' ? paint('green', line) : sign === '-' ? paint('red', line) : line}`;
  });
  return ['', paint('bold', plain(of)), ...painted];
}
