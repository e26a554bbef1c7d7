import { type Evidence, recordsOf } from './evidence.ts';
import { payment, standing as terms } from './world.ts';

/** Counted in ten-thousandths. */
export const counted = (amount: number): number => amount * 10_000;

/** What each counter must stand at is worked out again from the dispatch records alone, and compared with what is stored and with the caps. */
export function checkCounters(evidence: Evidence): string[] {
  const sessions = new Map(evidence.sessions.map((row) => [row.id, row]));
  const glasses = new Map(evidence.glasses.map((row) => [row.id, row]));
  const due = new Map<string, { used: number; cap: number }>();
  const draw = (counter: string, amount: number, cap: number | null | undefined): void => {
    if (cap === null || cap === undefined || amount === 0) return;
    const before = due.get(counter) ?? { used: 0, cap };
    due.set(counter, { used: before.used + amount, cap });
  };
  for (const { body } of recordsOf(evidence, 'call.dispatched')) {
    const session = sessions.get(body.session ?? '');
    if (!session) continue;
    const { budget, grants } = session;
    const amount = body.tool === 'books__pay' ? counted(payment) : 0;
    const date = new Date(body.at).toISOString().slice(0, 10);
    const day = `use-case/${session.useCase}/${date}`;
    draw(`session/${session.id} calls`, 1, budget.calls);
    draw(`session/${session.id} amount`, amount, budget.amount);
    draw(`session/${session.id} tool:${body.tool}`, 1, grants.find(({ tool }) => tool === body.tool)?.maxCalls);
    draw(`${day} calls`, 1, budget.perDay.calls);
    draw(`${day} amount`, amount, budget.perDay.amount);
    const glass = glasses.get(body.break_glass ?? '');
    draw(`break-glass/${glass?.id} calls`, 1, glass?.terms.calls);
    draw(`break-glass/${glass?.id} amount`, amount, glass?.terms.amount);
    for (const id of body.standing ?? []) {
      draw(`standing/${id} calls`, 1, terms.max_calls);
      draw(`standing/${id} amount`, amount, counted(terms.max_amount));
      draw(`standing-day/${id}/${date} calls`, 1, terms.per_day.calls);
      draw(`standing-day/${id}/${date} amount`, amount, counted(terms.per_day.amount));
    }
  }
  const stored = new Map(evidence.counters.map(({ scope, name, used }) => [`${scope} ${name}`, used]));
  const wrong: string[] = [];
  for (const counter of new Set([...due.keys(), ...stored.keys()])) {
    const used = stored.get(counter) ?? 0;
    const { used: drawn, cap } = due.get(counter) ?? { used: 0, cap: 0 };
    if (used !== drawn) wrong.push(`${counter} stands at ${used}, and dispatch records draw ${drawn}`);
    if (used > cap) wrong.push(`${counter} stands at ${used}, over its cap of ${cap}`);
  }
  return wrong;
}
