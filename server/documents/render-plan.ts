import type { Plan } from './plan.ts';

const signs = { added: '+', changed: '~', removed: '-' } as const;
const secondAdmin = 'Some of this widens. That calls for a second admin, who is not yet asked for.';

/** The plan in words, one item a line with its differences below; what widens and narrows is marked. */
export function renderPlan(plan: Plan): string {
  if (plan.items.length === 0) return ['Nothing changes.', ...plan.warnings.map(warning)].join('\n');
  const lines: string[] = [];
  let tenant: string | null = null;
  for (const item of plan.items) {
    if (item.tenant !== tenant) lines.push(heading(item.tenant, plan));
    tenant = item.tenant;
    lines.push(`  ${signs[item.change]} ${item.kind} ${item.name}${item.effect === 'neutral' ? '' : ` (${item.effect})`}`);
    lines.push(...item.differences.map((difference) => `      ${difference}`));
  }
  return [...lines, ...plan.warnings.map(warning), ...(needsSecondAdmin(plan) ? [secondAdmin] : [])].join('\n');
}

/** What whoever applies the plan has to know beside its items, a sentence each. */
export function noticesOf(plan: Plan): string[] {
  const changed = new Set(plan.items.map(({ tenant }) => tenant));
  return [
    ...plan.warnings,
    ...plan.founding.map((tenant) => `${tenant} is founded: one admin, no waiting.`),
    ...plan.personal.filter((tenant) => changed.has(tenant)).map((tenant) => `${tenant} has one person: no second admin.`),
    ...(needsSecondAdmin(plan) ? [secondAdmin] : []),
  ];
}

function needsSecondAdmin({ items, founding, personal }: Plan): boolean {
  const exempt = new Set([...founding, ...personal]);
  return items.some(({ effect, tenant }) => effect === 'widens' && !exempt.has(tenant));
}

function heading(tenant: string, plan: Plan): string {
  if (plan.founding.includes(tenant)) return `${tenant} (founding: one admin, no waiting)`;
  return plan.personal.includes(tenant) ? `${tenant} (personal: one person, no second admin)` : tenant;
}

const warning = (text: string): string => `  ! ${text}`;
