import type { ChangeRow } from '../store/store.ts';
import type { Applied } from './apply.ts';
import type { Plan, PlanItem } from './plan.ts';

const signs = { added: '+', changed: '~', removed: '-' } as const;

/** The plan in words, one item a line with its differences below; what widens, narrows and waits is marked. */
export function renderPlan(plan: Plan, waits: readonly PlanItem[] = []): string {
  if (plan.items.length === 0) return ['Nothing changes.', ...plan.warnings.map(warning)].join('\n');
  const lines: string[] = [];
  let tenant: string | null = null;
  for (const item of plan.items) {
    if (item.tenant !== tenant) lines.push(heading(item.tenant, plan));
    tenant = item.tenant;
    const marks = [...(item.effect === 'neutral' ? [] : [item.effect]), ...(waits.includes(item) ? ['waits for a second admin'] : [])];
    lines.push(`  ${signs[item.change]} ${item.kind} ${item.name}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`);
    lines.push(...item.differences.map((difference) => `      ${difference}`));
  }
  return [...lines, ...plan.warnings.map(warning)].join('\n');
}

/** What whoever applies the plan has to know beside its items, a sentence each. */
export function noticesOf({ plan, applied, waits, waiting }: Omit<Applied, 'ok'>): string[] {
  const changed = new Set(plan.items.map(({ tenant }) => tenant));
  const rest = plan.items.length > waits.length ? `; the rest ${applied ? 'is in force' : 'would take effect at once'}` : '';
  const together = waits.some(({ effect }) => effect !== 'widens') ? ' What narrows waits with it, because it does not hold alone.' : '';
  return [
    ...plan.warnings,
    ...plan.founding.map((tenant) => `${tenant} is founded: one admin, no waiting.`),
    ...plan.personal.filter((tenant) => changed.has(tenant)).map((tenant) => `${tenant} has one person: no second admin.`),
    ...(waits.length > 0 && waiting.length === 0 ? [`What widens would wait for another admin${rest}.${together}`] : []),
    ...waiting.map((change) => `${waitingSentence(change)}${rest}.${together}`),
  ];
}

/** What waits, and how it is approved. */
export function waitingSentence({ tenant, id, items, expiresAt }: ChangeRow): string {
  const until = new Date(expiresAt).toISOString().slice(0, 10);
  const count = items.length === 1 ? '1 item waits' : `${items.length} items wait`;
  return `${count} for another admin of ${tenant} until ${until}: npx taskgate change show ${id} --tenant ${tenant}`;
}

function heading(tenant: string, plan: Plan): string {
  if (plan.founding.includes(tenant)) return `${tenant} (founding: one admin, no waiting)`;
  return plan.personal.includes(tenant) ? `${tenant} (personal: one person, no second admin)` : tenant;
}

const warning = (text: string): string => `  ! ${text}`;
